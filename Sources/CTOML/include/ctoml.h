// A TOML file as a flat list of values; the parser is toml++.
#ifndef HOLDFAST_CTOML_H
#define HOLDFAST_CTOML_H

#include <stddef.h>
#include <stdint.h>

#ifdef __cplusplus
extern "C" {
#endif

enum holdfast_toml_kind {
  HOLDFAST_TOML_INTEGER = 1,
  HOLDFAST_TOML_TEXT = 2,
  HOLDFAST_TOML_BOOLEAN = 3,
  HOLDFAST_TOML_OTHER = 4
};

// Told of each value: its path (`access[0].uid`), the line it stands in, and the value itself.
typedef void (*holdfast_toml_visit)(void *context, const char *path, uint32_t line, int kind,
                                    int64_t number, const char *text);

// Reads a file; 0, or -1 with a text that names the line in `error`.
int holdfast_toml_read(const char *file, holdfast_toml_visit visit, void *context, char *error,
                       size_t error_size);

#ifdef __cplusplus
}
#endif

#endif
