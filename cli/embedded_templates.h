// The files of cli/templates. The build writes them into the program (embed_templates.cmake). Constant data;
// any thread.
#pragma once

#include <span>
#include <string_view>

namespace sluice::cli {

struct TemplateFile {
  std::string_view kind;  // "handler": the folder in cli/templates
  std::string_view name;
  std::string_view text;
};

std::span<const TemplateFile> embedded_templates();

}  // namespace sluice::cli
