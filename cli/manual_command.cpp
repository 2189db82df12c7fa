#include "manual_command.h"

#include <fmt/core.h>
#include <algorithm>
#include <cerrno>
#include <fstream>
#include <ostream>
#include <string>
#include <vector>

#include "exit_error.h"
#include "manual.h"
#include "server/supervisor.h"

namespace sluice::cli {
namespace {

int write_pages(const std::vector<ManualPage>& pages, const std::string& folder, std::ostream& err) {
  for (const ManualPage& page : pages) {
    const std::string path = folder + "/" + page.file;
    errno = 0;
    std::ofstream file(path);
    file << page.text << std::flush;
    if (!file) {
      return refuse(
          err, fail_errno(fmt::format("cannot write {}: make the folder, or name another one", path), errno)
                   .value());
    }
  }
  return kExitFine;
}

}  // namespace

int run_manual(const OptionTexts& given, std::ostream& out, std::ostream& err) {
  const auto text_of = [&](const char* name) {
    const auto found = given.find(name);
    return found == given.end() ? std::string() : found->second.front().text;
  };
  if (given.contains("markdown")) {
    out << reference_page();
    return kExitFine;
  }
  const auto pages = manual_pages(describe_command_line());
  if (given.contains("folder")) return write_pages(pages, text_of("folder"), err);
  const std::string command = text_of("command");
  const auto page =
      std::find_if(pages.begin(), pages.end(), [&](const ManualPage& each) { return each.command == command; });
  if (page == pages.end())
    return refuse(err, Error{fmt::format("'{}' is no command of sluice: see 'sluice --help'", command)});
  out << page->text;
  return kExitFine;
}

}  // namespace sluice::cli
