#!/bin/sh
# The header compiles alone, pedantically, as C11 and as C++17.
set -eu
header=$1
directory=$(mktemp -d)
trap 'rm -rf "$directory"' EXIT
printf '#include "%s"\nint main(void) { return holdfast_version_check(HOLDFAST_VERSION_NUMBER) ? 0 : 1; }\n' \
  "$(realpath "$header")" >"$directory/a.c"
cp "$directory/a.c" "$directory/a.cc"
flags="-pedantic-errors -Wall -Wextra -Werror -Wconversion"
${CC:-cc} -std=c11 $flags -c "$directory/a.c" -o "$directory/a.o"
${CXX:-c++} -std=c++17 $flags -c "$directory/a.cc" -o "$directory/a.o"
echo "header: C11 and C++17"
