#include "ctoml.h"

#define TOML_EXCEPTIONS 0
#include <toml++/toml.h>

#include <cstdio>
#include <string>

namespace {

struct Walk {
  holdfast_toml_visit visit;
  void *context;

  void tell(const std::string &path, const toml::node &node, int kind, int64_t number,
            const char *text) const {
    visit(context, path.c_str(), node.source().begin.line, kind, number, text);
  }

  void value(const std::string &path, const toml::node &node) const {
    if (const auto *table = node.as_table()) {
      for (const auto &[key, inner] : *table) {
        const std::string name(key.str());
        value(path.empty() ? name : path + "." + name, inner);
      }
    } else if (const auto *array = node.as_array()) {
      size_t index = 0;
      for (const auto &inner : *array)
        value(path + "[" + std::to_string(index++) + "]", inner);
    } else if (const auto *integer = node.as_integer()) {
      tell(path, node, HOLDFAST_TOML_INTEGER, integer->get(), "");
    } else if (const auto *text = node.as_string()) {
      tell(path, node, HOLDFAST_TOML_TEXT, 0, text->get().c_str());
    } else if (const auto *boolean = node.as_boolean()) {
      tell(path, node, HOLDFAST_TOML_BOOLEAN, boolean->get() ? 1 : 0, "");
    } else {
      tell(path, node, HOLDFAST_TOML_OTHER, 0, "");
    }
  }
};

} // namespace

int holdfast_toml_read(const char *file, holdfast_toml_visit visit, void *context, char *error,
                       size_t error_size) {
  const toml::parse_result result = toml::parse_file(file);
  if (!result) {
    const auto &problem = result.error();
    std::snprintf(error, error_size, "line %u: %s", (unsigned)problem.source().begin.line,
                  std::string(problem.description()).c_str());
    return -1;
  }
  Walk{visit, context}.value("", result.table());
  return 0;
}
