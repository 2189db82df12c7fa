// The files of cli/handler_template. The build writes them into the program (embed_template.cmake). Constant
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
