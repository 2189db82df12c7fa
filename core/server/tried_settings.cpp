#include "server/tried_settings.h"

#include <utility>

#include "base/log.h"
#include "module/mapped_code.h"
#include "settings/confinement_support.h"

namespace sluice {

Result<TriedSettings> try_settings(const Settings& settings, const InChild& in_child,
                                   const ServingPlan* before) {
  const auto confined = check_confinement(settings);
  if (!confined) return Unexpected(confined.error());
  TriedSettings tried;
  auto store = ModuleStore::create();
  if (!store) return Unexpected(store.error());
  tried.store = std::move(*store);
  const std::string& copies = tried.store->path();
  if (is_noexec(copies)) {
    log(LogLevel::info, "every folder for private copies of modules is noexec: they are in " + copies +
                            ", and their code is loaded through memory");
  }
  auto plan = make_plan(settings, before);
  if (!plan) return Unexpected(plan.error());
  tried.plan = std::move(*plan);
  auto folder = try_folder(*tried.store, *tried.plan, in_child);
  if (!folder) return Unexpected(folder.error());
  tried.folder = std::move(*folder);
  return tried;
}

}  // namespace sluice
