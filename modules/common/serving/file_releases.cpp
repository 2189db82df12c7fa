// What answers for a name that the current release lacks: a file of another one.
#include <string>
#include <utility>

#include "common/explain.h"
#include "common/serving/file_handler.h"
#include "common/serving/file_steps.h"

namespace sluice::files {

void FileHandler::seek_in_releases(Exchange& exchange, Search search) {
  search.in_releases = true;
  std::string asked(std::string_view(exchange.request().path));
  run_on_thread(exchange,
                std::make_shared<ReleasesStep>(served_.root().folder, served_.prefix(), std::move(asked),
                                               options_.releases_max, std::move(search)));
}

void FileHandler::found_in_releases(Exchange& exchange, Search search, std::string path) {
  if (path.empty()) {
    explain(exchange, [&] {
      return "none of the " + std::to_string(options_.releases_max) + " latest other releases has it";
    });
    return missing(exchange, std::move(search), 404);
  }
  explain(exchange, [] { return "the current release lacks it, and another one has it"; });
  search.path = std::move(path);
  seek(exchange, std::move(search));
}

}  // namespace sluice::files
