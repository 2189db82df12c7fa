#include "check/handler_step.h"

#include <unistd.h>

#include <fmt/core.h>
#include <algorithm>

#include "base/text.h"
#include "check/resources.h"

namespace sluice::cli {
namespace {

constexpr unsigned kHandlersPerWindow = 25;
constexpr unsigned kLoadsPerWindow = 5;
// ModuleInstance's reason for a module that refuses without Host::reject.
constexpr std::string_view kNoReason = "it gives no reason";

std::vector<std::string> odd_values(const OptionInfo& option) {
  switch (option.type) {
    case OptionType::text:
    case OptionType::list:
      return {"", "/", "sluice check"};
    case OptionType::flag:
      return {"on", "off"};
    case OptionType::number:
    case OptionType::size:
      return {"0", "1"};
    case OptionType::duration_ms:
      return {"0", "1ms"};
    case OptionType::choice:
      break;
  }
  std::vector<std::string> values;
  std::string_view left = option.choices;
  while (!left.empty()) values.emplace_back(take_part(left, "|"));
  return values;
}

MountOptions with(MountOptions options, const std::string& name, const std::string& value) {
  std::erase_if(options, [&](const auto& option) { return option.first == name; });
  options.emplace_back(name, value);
  return options;
}

}  // namespace

bool give_up(TestWorker& worker, Generation& generation) {
  const Leftover left = worker.give_up(generation);
  if (left == Leftover::held) {
    worker.findings().fail("holds",
                           "it is still held after its last request: call Host::release once for each "
                           "Host::hold, and let offloaded work end");
  } else if (left == Leftover::running) {
    worker.findings().fail("threads",
                           "a thread of it still runs after its last handler was destroyed: join it in a "
                           "destructor, or use Host::offload");
  } else if (left == Leftover::mapped) {
    worker.findings().fail(
        "unload",
        "it stays in memory after it was unloaded: look for unique symbols and a thread_local "
        "with a destructor");
  }
  return left == Leftover::none;
}

void check_creation(const ModuleUnderCheck& subject, Findings& findings) {
  auto worker = TestWorker::create(subject, findings);
  if (!worker) return findings.fail("create", worker.error().message);
  auto generation = (*worker)->load(0);
  if (generation) {
    // A generation that stays alive would disturb all further checks.
    if (!give_up(**worker, *generation) && !findings.failed("unload")) findings.stop();
    return;
  }
  const std::string& why = generation.error().message;
  findings.fail("create", why.ends_with(kNoReason)
                              ? "it refuses to be created without a reason: call Host::reject"
                              : why + "; options are given with --option KEY=VALUE");
  findings.stop();
}

void check_refusals(const ModuleUnderCheck& subject, Findings& findings) {
  auto worker = TestWorker::create(subject, findings);
  if (!worker) return findings.fail("refusals", worker.error().message);
  auto generation = (*worker)->load(0);
  if (!generation) return findings.fail("create", generation.error().message);
  const auto file = generation->file.lock();
  // The module may take an odd value for the name of a file.
  if (::chdir(subject.work_folder().c_str()) != 0) return;
  for (std::uint32_t i = 0; i < file->info().option_count; ++i) {
    const OptionInfo& option = file->option(i);
    for (const std::string& value : odd_values(option)) {
      const std::string given = std::string(option.name) + "=" + value;
      (*worker)->doing("it is created with " + given);
      const auto handler =
          (*worker)->make_handler(*generation, with(subject.request().options, option.name, value));
      if (handler || !handler.error().message.ends_with(kNoReason)) continue;
      findings.fail(
          "refusals",
          fmt::format("it refuses {} without a reason: say what would be right by Host::reject", given));
    }
  }
}

void check_lifecycle(const ModuleUnderCheck& subject, Findings& findings) {
  auto made = TestWorker::create(subject, findings);
  if (!made) return findings.fail("lifecycle", made.error().message);
  TestWorker& worker = **made;
  auto generation = worker.load(0);
  if (!generation) return findings.fail("create", generation.error().message);
  find_growth(findings, "each handler", kHandlersPerWindow, [&] {
    worker.doing("one more handler is created");
    auto handler = worker.make_handler(*generation, subject.request().options);
    if (!handler) {
      findings.fail("lifecycle", "it can be created once, but not again: " + handler.error().message);
      return false;
    }
    worker.doing("one of its handlers is destroyed");
    (*handler)->retire();
    handler = InstanceRef();
    return worker.settle();
  });
  if (!give_up(worker, *generation)) return;
  find_growth(findings, "each loading of it", kLoadsPerWindow, [&] {
    auto again = worker.load(0);
    if (!again) findings.fail("lifecycle", "it cannot be loaded again: " + again.error().message);
    return again && give_up(worker, *again);
  });
}

}  // namespace sluice::cli
