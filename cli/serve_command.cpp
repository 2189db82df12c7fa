#include "serve_command.h"

#include <sys/stat.h>

#include <cerrno>
#include <cstring>
#include <ostream>
#include <sstream>
#include <vector>

#include "dry_run.h"
#include "report.h"
#include "supervisor.h"
#include "unknown_variables.h"

namespace sluice::cli {
namespace {

Result<void> check_folder(const std::string& what, const std::string& folder, const std::string& option) {
  const std::string remedy = "; name an existing folder with " + option;
  struct stat about {};
  if (stat(folder.c_str(), &about) != 0)
    return fail(what + " '" + folder + "' cannot be used: " + std::strerror(errno) + remedy);
  if (!S_ISDIR(about.st_mode)) return fail(what + " '" + folder + "' is not a folder" + remedy);
  return {};
}

// `doubts` were said already.
int run_check(const Settings& settings, bool doubts, std::ostream& out, std::ostream& err) {
  const auto text = check(settings);
  if (!text) {
    // A line for each thing that is wrong.
    std::istringstream sentences(text.error().message);
    for (std::string sentence; std::getline(sentences, sentence);) refuse(err, Error{sentence});
    return kExitCouldNotStart;
  }
  if (doubts) return kExitCouldNotStart;
  out << *text << (text->empty() || text->ends_with('\n') ? "" : "\n") << "ok\n";
  return kExitFine;
}

}  // namespace

Result<ServeRequest> read_checked_request(const GivenValues& command_line, const Environment& environment) {
  auto request = read_serve_request(command_line, environment);
  if (!request) return request;
  const Settings& settings = request->settings;
  const auto root = check_folder("the root", settings.root, "--root");
  if (!root) return Unexpected(root.error());
  const auto plugins = check_folder("the folder of modules", settings.plugins, "--plugins");
  if (!plugins) return Unexpected(plugins.error());
  return request;
}

int run_serve(const GivenValues& command_line, const Environment& environment, std::ostream& out,
              std::ostream& err) {
  const auto request = read_checked_request(command_line, environment);
  if (!request) return refuse(err, request.error());
  const std::vector<std::string> unknown = unknown_variables(environment);
  for (const std::string& sentence : unknown) warn(err, sentence);
  if (request->check) return run_check(request->settings, !unknown.empty(), out, err);
  const auto reread = [&]() -> Result<Settings> {
    return read_checked_request(command_line, environment).map([](const ServeRequest& again) {
      return again.settings;
    });
  };
  return supervise(request->settings, reread);
}

}  // namespace sluice::cli
