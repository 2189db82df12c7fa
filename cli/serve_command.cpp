#include "serve_command.h"

#include <sys/stat.h>
#include <unistd.h>

#include <fmt/core.h>
#include <algorithm>
#include <csignal>
#include <filesystem>
#include <ostream>
#include <sstream>
#include <utility>
#include <vector>

#include "base/child_process.h"
#include "base/process_setup.h"
#include "base/service_variables.h"
#include "exit_error.h"
#include "process/handover.h"
#include "process/inherited_sockets.h"
#include "server/dry_run.h"
#include "server/supervisor.h"
#include "swap/module_store.h"
#include "unknown_variables.h"

namespace sluice::cli {
namespace {

// A call on a folder of a disk that hangs never returns, so a child looks at the folder first.
Result<void> ask_folder(const std::string& folder, bool has_modules, const ModulePolicy& policy) {
  const auto asked = run_in_child(
      [&] {
        struct stat about {};
        if (stat(folder.c_str(), &about) == 0 && has_modules) rehearse_copies({folder});
        return std::string();
      },
      static_cast<int>(policy.swap_ms));
  if (asked) return {};
  return fail(fmt::format("the folder '{}' does not answer: a process that looked at it {}", folder,
                          asked.error().message));
}

Result<void> ask_folders(const Settings& settings) {
  Result<void> answers;
  for (const std::string& folder : settings.plugins) {
    if (answers) answers = ask_folder(folder, true, settings.policy);
  }
  const auto ask_site = [&](const SiteSettings& site) {
    const std::filesystem::path root(site.root);
    if (answers) answers = ask_folder(root, false, settings.policy);
    for (const MountSpec& mount : site.mounts) {
      if (mount.root && answers) answers = ask_folder(root / *mount.root, false, settings.policy);
    }
  };
  if (settings.has_default_site()) ask_site(settings);
  for (const SiteSettings& site : settings.sites) ask_site(site);
  return answers;
}

// Prints a line for each mistake.
int refuse_all(const Error& error, std::ostream& err) {
  std::istringstream sentences(error.message);
  int code = kExitCouldNotStart;
  for (std::string sentence; std::getline(sentences, sentence);) code = refuse(err, Error{sentence});
  return code;
}

// `doubts`: warnings were printed already.
int run_check(const Settings& settings, InheritedSockets inherited, bool doubts, std::ostream& out,
              std::ostream& err) {
  const auto text = check(settings, std::move(inherited));
  if (!text) return refuse_all(text.error(), err);
  if (doubts) return kExitCouldNotStart;
  out << *text << (text->empty() || text->ends_with('\n') ? "" : "\n") << "ok\n";
  return kExitFine;
}

}  // namespace

int run_serve(const OptionTexts& command_line, const Environment& environment, std::ostream& out,
              std::ostream& err) {
  // A signal without a handler does not end the first process of a system or container: the kernel drops it.
  if (::getpid() == 1) {
    for (const int signal : {SIGTERM, SIGINT, SIGQUIT}) hold_signal(signal);
  }
  ServiceVariables variables = take_service_variables();
  auto handover = Handover::take();
  if (!handover) return refuse(err, handover.error());
  auto inherited = *handover ? InheritedSockets::take_over(**handover) : InheritedSockets::take(variables);
  if (!inherited) return refuse(err, inherited.error());
  if (const auto warning = InheritedSockets::meant_for_other(variables)) warn(err, *warning);
  const auto request = read_serve_request(command_line, environment);
  if (!request) return refuse_all(request.error(), err);
  const auto answers = ask_folders(request->settings);
  if (!answers) return refuse(err, answers.error());
  const std::vector<std::string> unknown = unknown_variables(environment);
  for (const std::string& sentence : unknown) warn(err, sentence);
  if (request->check) return run_check(request->settings, std::move(*inherited), !unknown.empty(), out, err);
  const auto reread = [&]() -> Result<Settings> {
    return read_serve_request(command_line, environment).map([](const ServeRequest& again) {
      return again.settings;
    });
  };
  return supervise(request->settings, reread,
                   {std::move(variables), std::move(*inherited), std::move(*handover)});
}

}  // namespace sluice::cli
