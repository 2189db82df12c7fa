// Tries a handler without a server, in a test of your own:
//
//     #include "greet.cpp"            // the module
//     #include <sluice/kit/rig.h>
//
//     sluice::kit::Rig rig(sluice_module, {{"greeting", "Hi"}});
//     const sluice::kit::RigAnswer answer = rig.get("Ada");
//     assert(answer.status == 200 && answer.content == "Hi, Ada\n");
//
// It has a small loop with timers, descriptors and offloaded works, and one exchange at a time. While a handler
// waits for timers only, its clock runs ahead, so that no test sleeps. What breaks the interface's contract
// throws std::logic_error. It does not replace a test with a server: what HTTP and sockets do is not here, nor
// are filters, and upgrades are refused. It is no part of <sluice/kit.h>. One thread, besides that of a Work.
#pragma once

#include <sluice/handler.h>
#include <sluice/kit/request.h>
#include <sluice/kit/rig_exchange.h>
#include <sluice/kit/rig_host.h>
#include <sluice/module.h>

#include <cstdint>
#include <map>
#include <memory>
#include <stdexcept>
#include <string>
#include <string_view>
#include <vector>

namespace sluice::kit {

class Rig {
 public:
  // Makes the handler with these options, and the module's defaults for the others. Throws std::runtime_error
  // with the handler's reason if it refuses to be made.
  explicit Rig(const ModuleInfo& module, const RigOptions& options = {}, const std::string& mount = "/mount/")
      : shared_host_(loop_, "", {}, {}),
        host_(loop_, mount, with_defaults(module, options), numbers(module, options)) {
    if (module.create == nullptr) throw std::runtime_error("the module is a filter, which a rig cannot try");
    if (module.create_shared != nullptr) {
      shared_.reset(module.create_shared(shared_host_));
      if (shared_ == nullptr) throw std::runtime_error(shared_host_.rejection);
      host_.set_shared(shared_.get());
    }
    handler_.reset(module.create(host_));
    if (handler_ == nullptr || !host_.rejection.empty()) throw std::runtime_error(host_.rejection);
  }
  Rig(const Rig&) = delete;
  Rig& operator=(const Rig&) = delete;
  ~Rig() {
    loop_.finish_works();
    handler_.reset();
    shared_.reset();
  }

  RigAnswer ask(const RigRequest& request) {
    detail::RigExchange exchange(loop_, *handler_, request, std::string(std::string_view(host_.mount())));
    return exchange.run();
  }
  // `target` is below the mount: "items/7?all".
  RigAnswer get(const std::string& target) { return ask({.target = target}); }
  RigAnswer post(const std::string& target, const std::string& content,
                 const std::string& type = "application/octet-stream") {
    RigRequest request{.method = "POST", .target = target};
    request.fields.emplace_back("Content-Type", type);
    request.pieces.push_back(content);
    return ask(request);
  }

  // What its counter has counted.
  std::uint64_t counted(const std::string& counter) const { return loop_.counted(counter); }
  const std::vector<std::string>& log() const { return loop_.log; }
  // Numbers and claims that workers share, by their names.
  std::map<std::string, std::uint64_t>& shared_numbers() { return loop_.shared_numbers; }
  std::map<std::string, std::uint64_t>& claims() { return loop_.claims; }
  Handler& handler() { return *handler_; }

 private:
  static std::map<std::string, std::uint64_t> numbers(const ModuleInfo& module, const RigOptions& given) {
    std::map<std::string, std::uint64_t> numbers;
    const auto* bytes = reinterpret_cast<const char*>(module.options);
    for (std::uint32_t i = 0; i < module.option_count; ++i) {
      const auto& option = *reinterpret_cast<const OptionInfo*>(bytes + i * module.option_stride);
      const auto found = given.find(option.name);
      const bool is_given = found != given.end();
      const std::string_view text = is_given ? std::string_view(found->second) : option.fallback;
      numbers[option.name] = detail::RigNumber(option, text, is_given).read();
    }
    return numbers;
  }
  static RigOptions with_defaults(const ModuleInfo& module, const RigOptions& given) {
    RigOptions options;
    const auto* bytes = reinterpret_cast<const char*>(module.options);
    for (std::uint32_t i = 0; i < module.option_count; ++i) {
      const auto& option = *reinterpret_cast<const OptionInfo*>(bytes + i * module.option_stride);
      options[option.name] = option.fallback;
    }
    for (const auto& [name, value] : given) {
      if (!options.contains(name)) throw std::runtime_error("the module has no option " + name);
      options[name] = value;
    }
    return options;
  }

  detail::RigLoop loop_;
  detail::RigHost shared_host_;
  detail::RigHost host_;
  std::unique_ptr<Shared> shared_;
  std::unique_ptr<Handler> handler_;
};

}  // namespace sluice::kit
