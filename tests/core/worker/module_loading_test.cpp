// A module's code is unloaded only if no thread can be running it.
#include "worker/module_loading.h"

#include <sys/mman.h>
#include <unistd.h>

#include <catch2/catch.hpp>
#include <memory>
#include <string>

#include "base/log.h"
#include "base/unique_fd.h"
#include "support/scarcity.h"

using namespace sluice;
using sluice::test::FewDescriptors;

namespace {

// Unloads a module and returns the lines logged meanwhile.
std::string log_of_unloading(const std::set<std::string>& own_threads, bool without_descriptors) {
  const auto stats = std::make_unique<WorkerStats>();
  auto file = ModuleFile::load(SLUICE_TEST_PLUGINS "/hello.so", "hello.so");
  REQUIRE(file);
  const UniqueFd log_file(::memfd_create("log", MFD_CLOEXEC));
  set_log_fd(log_file.get());
  {
    const auto few = without_descriptors ? std::make_unique<FewDescriptors>() : nullptr;
    unload_module(std::move(*file), *stats, 0, own_threads, false);
  }
  set_log_fd(STDERR_FILENO);
  std::string text(4096, '\0');
  const ssize_t got = ::pread(log_file.get(), text.data(), text.size(), 0);
  return text.substr(0, got > 0 ? static_cast<std::size_t>(got) : 0);
}

}  // namespace

TEST_CASE("a module's code stays in memory while it may run in a thread that is not the worker's",
          "[module_loading]") {
  using Catch::Matchers::Contains;
  const auto own = running_threads();
  REQUIRE(own);
  CHECK(own->contains(std::to_string(::getpid())));
  CHECK_THAT(log_of_unloading(*own, false), !Contains("thread"));
  CHECK_THAT(log_of_unloading({}, false), Contains("a thread that a module has started still runs"));
  CHECK_THAT(log_of_unloading(*own, true), Contains("the threads of this process cannot be listed"));
}
