#!/bin/sh
# What the shared library exports is what the header declares: no more, no less.
set -eu
header=$1 library=$2
directory=$(mktemp -d)
trap 'rm -rf "$directory"' EXIT
${CC:-cc} -E -P "$header" | tr '\n' ' ' | tr ';{}' '\n\n\n' |
  sed -n 's/.*visibility("default").*[ *]\(holdfast_[a-z0-9_]*\)(.*/\1/p' | sort -u >"$directory/declared"
nm -D --defined-only "$library" | awk '$2 == "T" { sub("@.*", "", $3); print $3 }' | sort -u >"$directory/exported"
diff "$directory/declared" "$directory/exported"
echo "symbols: $(wc -l <"$directory/declared") declared, the same exported"
