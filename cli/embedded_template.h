// The files of cli/handler_template, written into the program by the build (embed_template.cmake). Constant
// data; any thread.
#pragma once

#include <span>
#include <string_view>

namespace sluice::cli {

struct TemplateFile {
  std::string_view name;
  std::string_view text;
};

std::span<const TemplateFile> embedded_template();

}  // namespace sluice::cli
