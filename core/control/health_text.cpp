#include "control/health_text.h"

namespace sluice {

std::string health_text(const ServerView& view) {
  std::string text = std::string(view.state) + "\n";
  for (const ModuleEntry& module : view.modules) {
    const std::string& name = module.name.empty() ? module.file : module.name;
    text.append(module.closed ? "off " : "on ").append(name).append("\n");
  }
  return text;
}

}  // namespace sluice
