#include <unistd.h>

#include <csignal>
#include <iostream>
#include <string>
#include <string_view>

#include "base/process_setup.h"
#include "check/exact_heap.h"
#include "program.h"

namespace {

sluice::cli::Environment read_environment() {
  sluice::cli::Environment::Variables variables;
  for (char** entry = environ; *entry != nullptr; ++entry) {
    const std::string_view text = *entry;
    const std::size_t equals = text.find('=');
    // If a name stands there twice, the C library sees the first one.
    if (equals != std::string_view::npos) variables.emplace(text.substr(0, equals), text.substr(equals + 1));
  }
  return sluice::cli::Environment(std::move(variables));
}

}  // namespace

int main(int argc, char** argv) {
  sluice::open_standard_descriptors();
  // A parent that ignores SIGCHLD passes that on, and then this process would not hear of a child's end
  // (sigaction(2)).
  std::signal(SIGCHLD, SIG_DFL);
  sluice::cli::count_heap_exactly(argv);
  return sluice::cli::run_program({argv + (argc > 0 ? 1 : 0), argv + argc}, read_environment(), std::cout,
                                  std::cerr);
}
