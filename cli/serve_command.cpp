#include "serve_command.h"

#include <sys/stat.h>

#include <cerrno>
#include <cstring>
#include <ostream>
#include <sstream>

#include "dry_run.h"
#include "report.h"
#include "supervisor.h"

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

int run_check(const Settings& settings, std::ostream& out, std::ostream& err) {
  const auto text = check(settings);
  if (!text) {
    // A line for each module that is broken.
    std::istringstream sentences(text.error().message);
    for (std::string sentence; std::getline(sentences, sentence);) refuse(err, Error{sentence});
    return kExitCouldNotStart;
  }
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
  if (request->check) return run_check(request->settings, out, err);
  const auto reread = [&]() -> Result<Settings> {
    return read_checked_request(command_line, environment).map([](const ServeRequest& again) {
      return again.settings;
    });
  };
  return supervise(request->settings, reread);
}

}  // namespace sluice::cli
