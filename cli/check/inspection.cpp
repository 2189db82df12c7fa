#include "check/inspection.h"

#include <sys/prctl.h>
#include <unistd.h>

#include <fmt/core.h>
#include <csignal>
#include <set>

#include "base/child_process.h"
#include "base/log.h"
#include "check/change_step.h"
#include "check/elf_image.h"
#include "check/file_step.h"
#include "check/handler_step.h"
#include "check/needed_libraries.h"
#include "check/request_step.h"

namespace sluice::cli {
namespace {

CheckResult sum_up(const CheckText& check, const Findings& findings, bool tried) {
  CheckResult result{std::string(check.name), Verdict::ok, {}};
  for (const Finding& finding : findings.all()) {
    if (finding.check != check.name) continue;
    result.verdict = result.verdict == Verdict::failed ? Verdict::failed : finding.verdict;
    result.sentences.push_back(finding.where.empty()
                                   ? finding.sentence
                                   : fmt::format("while {}, {}", finding.where, finding.sentence));
  }
  if (!result.sentences.empty()) return result;
  if (!tried) result.verdict = Verdict::untried;
  result.sentences.emplace_back(tried ? check.fine : "not tried to its end");
  return result;
}

std::string remedy_for(const std::string& ended) {
  return ended.starts_with("did not") ? ": return at once, and hand slow calls to Host::offload"
                                      : ": find the place with a debugger, or build it with -fsanitize=address";
}

// Becomes the user that a worker would be, and loads the libraries that a copy would not find.
Result<void> get_ready(const ModuleUnderCheck& subject) {
  if (subject.user()) {
    const pid_t parent = ::getppid();
    const auto became = become(*subject.user());
    if (!became) return became;
    // Changing the user clears it (prctl(2)).
    ::prctl(PR_SET_PDEATHSIG, SIGKILL);
    if (::getppid() != parent) ::_exit(0);
  }
  if (const auto image = read_elf(subject.copy(0), "it")) load_beside(*image, subject.request().file);
  return {};
}

}  // namespace

std::span<const Step> all_steps() {
  static const std::vector<Step> kSteps = {
      {"libraries",
       &check_tables,
       false,
       {"exports", "unique-symbols", "thread-locals", "stack", "text", "static-tls", "symbols", "debug-info"}},
      {"load", &check_description, true, {"description", "options", "mount"}},
      {"create", &check_creation, true, {"unload", "holds"}},
      {"refusals", &check_refusals, false, {}},
      {"lifecycle", &check_lifecycle, false, {"memory", "descriptors", "threads", "holds", "unload"}},
      {"requests", &check_requests, true, {"head", "answers", "lengths", "fields", "exceptions", "loop"}},
      {"bodies", &check_bodies, false, {"answers", "lengths", "fields", "exceptions", "loop"}},
      {"pacing", &check_pacing, false, {"answers", "lengths", "loop"}},
      {"requests", &check_repetition, false, {"memory", "descriptors", "threads"}},
      {"departures", &check_departures, false, {"memory", "descriptors", "threads", "holds", "exceptions"}},
      {"swap", &check_swap, false, {"unload", "holds"}},
  };
  return kSteps;
}

StepResult run_step(const ModuleUnderCheck& subject, const Step& step) {
  subject.note().set("it is looked at");
  subject.found().set("");
  const auto ended = run_in_child(
      [&] {
        set_log(LogLevel::error, "check");
        ::signal(SIGABRT, SIG_DFL);  // the caller's handler is not for the module's faults
        Findings findings(subject.found());
        const auto ready = get_ready(subject);
        if (!ready) {
          findings.fail(step.check, ready.error().message);
          findings.stop();
          return std::string();
        }
        step.run(subject, findings);
        return std::string();
      },
      static_cast<int>(subject.request().step_ms));
  StepResult result{Findings::decode(subject.found().get()), ended.has_value()};
  if (!ended) {
    const std::string& how = ended.error().message;
    result.findings.fail(step.check, fmt::format("the process {}{}", how, remedy_for(how)),
                         subject.note().get());
    if (step.essential) result.findings.stop();
  }
  return result;
}

CheckReport inspect(const ModuleUnderCheck& subject) {
  Findings findings;
  std::set<std::string_view> untried;
  for (const Step& step : all_steps()) {
    StepResult result;
    if (!findings.stopped()) result = run_step(subject, step);
    findings.merge(result.findings);
    if (!result.finished) untried.insert(step.check);
    if (!result.finished || result.findings.stopped()) untried.insert(step.also.begin(), step.also.end());
  }
  CheckReport report{subject.request().file, {}};
  for (const CheckText& check : all_checks()) {
    report.results.push_back(sum_up(check, findings, !untried.contains(check.name)));
  }
  return report;
}

}  // namespace sluice::cli
