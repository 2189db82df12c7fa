#include "support/module_rig.h"

#include <dlfcn.h>
#include <fcntl.h>
#include <unistd.h>

#include <stdexcept>

namespace sluice::test {

ModuleRig::ModuleRig(const std::string& module_path) : path_(module_path) {
  mapping_ = dlopen(module_path.c_str(), RTLD_NOW | RTLD_LOCAL);
  if (mapping_ == nullptr) throw std::runtime_error(dlerror());
  info_ = static_cast<const ModuleInfo*>(dlsym(mapping_, "sluice_module"));
  if (info_ == nullptr) throw std::runtime_error(module_path + " exports no sluice_module");
  if (info_->abi_major != kAbiMajor || info_->layout != layout_stamp()) {
    throw std::runtime_error(module_path + " was built for another interface");
  }
  if (info_->create_shared == nullptr) return;
  shared_host_ = std::make_unique<FakeHost>(server, HostPlan{});
  shared_host_->creating = true;
  shared_.reset(info_->create_shared(*shared_host_));
  shared_host_->creating = false;
  shared_host_->plan.shared = shared_.get();
  if (shared_ == nullptr) throw std::runtime_error(shared_host_->rejection);
}

ModuleRig::~ModuleRig() {
  server.pause_offload(false);
  const auto at_rest = [this] {
    bool held = shared_host_ != nullptr && shared_host_->holds != 0;
    for (const Mounted& mounted : mounted_) held = held || mounted.host->holds != 0;
    return !held && server.offload_idle();
  };
  if (!server.run_until(at_rest)) server.violation("the module is held without end");
  for (Mounted& mounted : mounted_) {
    server.call("~Handler", [&] {
      mounted.handler.reset();
      mounted.filter.reset();
    });
    mounted.host.reset();
    if (mounted.folder_fd >= 0) close(mounted.folder_fd);
  }
  server.call("~Shared", [&] { shared_.reset(); });
  shared_host_.reset();
  // Work given out by a destructor would call an unloaded module.
  if (!server.offload_idle()) server.violation("a destructor asked for a thread");
#if !defined(SLUICE_TEST_SANITIZED)
  dlclose(mapping_);  // a sanitizer could not name code of an unmapped module
  if (dlopen(path_.c_str(), RTLD_NOW | RTLD_NOLOAD) != nullptr) server.violation("the module stays mapped");
#endif
}

std::map<std::string, std::string> ModuleRig::option_values(
    const std::map<std::string, std::string>& given) const {
  std::map<std::string, std::string> values;
  const auto* bytes = reinterpret_cast<const char*>(info_->options);
  for (std::uint32_t i = 0; i < info_->option_count; ++i) {
    const auto& option = *reinterpret_cast<const OptionInfo*>(bytes + i * info_->option_stride);
    values[option.name] = option.fallback;
  }
  for (const auto& [name, value] : given) {
    if (values.count(name) == 0) throw std::runtime_error("the module has no option " + name);
    values[name] = value;
  }
  return values;
}

std::size_t ModuleRig::mount(const std::string& folder, const std::map<std::string, std::string>& options,
                             const std::string& folder_path) {
  Mounted mounted;
  if (!folder.empty()) mounted.folder_fd = open(folder.c_str(), O_PATH | O_DIRECTORY | O_CLOEXEC);
  HostPlan plan;
  plan.mount = "/m/";
  plan.folder_fd = mounted.folder_fd;
  plan.folder_path = folder_path;
  plan.options = option_values(options);
  plan.shared = shared_.get();
  mounted.host = std::make_unique<FakeHost>(server, std::move(plan));
  mounted.host->creating = true;
  if (info_->create_filter != nullptr) {
    mounted.filter.reset(info_->create_filter(*mounted.host));
  } else {
    mounted.handler.reset(info_->create(*mounted.host));
  }
  mounted.host->creating = false;
  if ((mounted.handler == nullptr && mounted.filter == nullptr) || !mounted.host->rejection.empty()) {
    if (mounted.folder_fd >= 0) close(mounted.folder_fd);
    throw std::runtime_error(mounted.host->rejection);
  }
  mounted_.push_back(std::move(mounted));
  return mounted_.size() - 1;
}

Answer ModuleRig::start(RequestPlan plan, std::size_t handler) {
  auto exchange = std::make_unique<FakeExchange>(server, std::move(plan));
  if (const Mounted& mounted = mounted_.at(handler); mounted.filter != nullptr) {
    exchange->begin(*mounted.filter);
  } else {
    exchange->begin(*mounted.handler);
  }
  return exchange;
}

Answer ModuleRig::run(RequestPlan plan, std::size_t handler) {
  Answer answer = start(std::move(plan), handler);
  if (!server.run_until([&] { return answer->ended(); }, 30'000)) throw std::runtime_error("it does not end");
  return answer;
}

Answer ModuleRig::get(const std::string& path, std::size_t handler) {
  RequestPlan plan;
  plan.path = path;
  return run(std::move(plan), handler);
}

void ModuleRig::retire() {
  for (Mounted& mounted : mounted_) {
    server.call("retire", [&] {
      if (mounted.filter != nullptr) return mounted.filter->retire();
      mounted.handler->retire();
    });
  }
  if (shared_ != nullptr) server.call("Shared::retire", [&] { shared_->retire(); });
}

void ModuleRig::leave() {
  for (Mounted& mounted : mounted_) {
    if (mounted.handler != nullptr)
      server.call("leaving", [&] { mounted.handler->leaving(Leaving::stopping); });
  }
}

}  // namespace sluice::test
