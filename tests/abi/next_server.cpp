// A server whose interface is one minor ahead: loads a module as the core does, has it answer one request, and
// asks for what its own minor has appended, unless the module is older; then it retires the handler. Prints
// what came of each, and what the handler logged.
#include <sluice/module.h>

#include <cstdio>
#include <memory>
#include <string>

#include "module/module_file.h"
#include "support/fake_exchange.h"
#include "support/fake_host.h"

using namespace sluice;

namespace {

// The minor that brought Handler::appended and what else is new.
constexpr std::uint32_t kAppendedMinor = kAbiMinor;

// The options' defaults, told over the stride of the module's own table.
test::HostPlan plan_for(const ModuleFile& file) {
  test::HostPlan plan;
  plan.mount = "/m/";
  for (std::uint32_t i = 0; i < file.info().option_count; ++i) {
    plan.options[file.option(i).name] = file.option(i).fallback;
  }
  return plan;
}

void ask_for_what_is_new(const ModuleFile& file, Handler& handler) {
  const ModuleInfo& info = file.info();
  if (info.abi_minor < kAppendedMinor) {
    std::puts("appended: not asked");
  } else {
    std::printf("appended: %u\n", handler.appended());
  }
  const bool has_more = has_member(info, offsetof(ModuleInfo, appended_member) + sizeof(info.appended_member));
  std::printf("says more of itself: %s\n", has_more ? "yes" : "no");
}

}  // namespace

int main(int argc, char** argv) {
  if (argc != 2) return 2;
  const auto loaded = ModuleFile::load(argv[1], argv[1]);
  if (!loaded) {
    std::puts(loaded.error().message.c_str());
    return 1;
  }
  const ModuleFile& file = **loaded;
  test::FakeServer server;
  test::FakeHost host(server, plan_for(file));
  const std::unique_ptr<Handler> handler(file.info().create(host));
  if (handler == nullptr) return 1;
  test::FakeExchange exchange(server, test::RequestPlan());
  exchange.begin(*handler);
  server.run_until([&] { return exchange.ended(); });
  std::printf("%s\n", exchange.content.c_str());
  ask_for_what_is_new(file, *handler);
  handler->retire();
  for (const auto& [level, message] : server.logs) std::printf("log: %s\n", message.c_str());
  return 0;
}
