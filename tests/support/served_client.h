// Connections whose requests a module answers, mounted at "/m/", and the lines logged meanwhile.
#pragma once

#include <poll.h>
#include <sys/mman.h>
#include <unistd.h>

#include <string>

#include "base/log.h"
#include "support/connection_fixture.h"

namespace sluice::test {

struct ServedClient : ConnectionFixture {
  const UniqueFd log_file{::memfd_create("log", MFD_CLOEXEC)};

  explicit ServedClient(const std::string& module = "awkward") {
    auto file = ModuleFile::load(std::string(SLUICE_TEST_MODULES) + "/" + module + ".so", module + ".so");
    REQUIRE(file);
    auto instance = ModuleInstance::create_mounted(services, *file, InstanceRef(), {"/m/", {}, -1, ""});
    REQUIRE(instance);
    REQUIRE(router.add(0, "/m/", *instance));
    set_log(LogLevel::debug, "test");
    set_log_fd(log_file.get());
  }
  ~ServedClient() {
    table.close_all();
    loop->turn(0);
    set_log_fd(STDERR_FILENO);
    set_log(LogLevel::info, "test");
  }

  void get(const std::string& path) { send("GET /m/" + path + " HTTP/1.1\r\nHost: a\r\n\r\n"); }
  // Receives and turns the loop until the server has closed.
  std::string receive_to_end() {
    std::string all;
    const auto receive_all = [&] {
      for (std::string got = receive(); !got.empty(); got = receive()) all += got;
    };
    turn_until([&] {
      receive_all();
      return is_closed();
    });
    receive_all();
    return all;
  }
  // Whether the server has closed its end, or sends no more.
  bool is_closed() const {
    pollfd ended{client.get(), POLLRDHUP, 0};
    return ::poll(&ended, 1, 0) > 0;
  }
  std::string logged() const {
    std::string text(64 * 1024, '\0');
    const ssize_t got = ::pread(log_file.get(), text.data(), text.size(), 0);
    text.resize(got > 0 ? static_cast<std::size_t>(got) : 0);
    return text;
  }
};

}  // namespace sluice::test
