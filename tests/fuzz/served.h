// A worker's connections without a worker, for fuzz targets, and inputs that are read as lists of steps.
//
// The build defines SLUICE_TEST_MODULES. One thread.
#pragma once

#include <fcntl.h>
#include <unistd.h>

#include <cstddef>
#include <cstdint>
#include <memory>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "base/log.h"
#include "connection/connection_table.h"
#include "connection/single_site.h"
#include "expect.h"

namespace sluice::fuzz {

inline constexpr std::uint64_t kSecondMs = 1000;

struct Served {
  WorkerStats stats;
  std::unique_ptr<EventLoop> loop = std::move(*EventLoop::create(stats));
  Router router;
  SingleSite site;
  Limits limits;
  HttpDate date;
  InputBuffers inputs{limits.head_bytes_max};
  BufferPool outputs{32 * 1024};
  ConnectionContext context{{*loop, router, site.sites, limits, stats}, date, inputs, outputs};
  ConnectionTable table{context};
  std::unique_ptr<Offload> offload = std::move(*Offload::create(*loop, {}));
  InstanceServices services{*loop, *offload, stats, table};

  Served() {
    set_log_fd(::open("/dev/null", O_WRONLY | O_CLOEXEC));
    site.address.http2_clear = true;
    for (const auto kind : {DeadlineKind::head, DeadlineKind::body, DeadlineKind::send, DeadlineKind::keepalive,
                            DeadlineKind::handler, DeadlineKind::linger})
      loop->deadlines().set_duration(kind, 60 * kSecondMs);
  }
  using Options = std::vector<std::pair<std::string, std::string>>;
  // Mounts the test module of that name at /NAME/.
  void mount(const std::string& name, const Options& options = {}) {
    auto file = ModuleFile::load(SLUICE_TEST_MODULES "/" + name + ".so", name + ".so");
    expect(file.has_value(), "the module can be loaded");
    const std::string prefix = "/" + name + "/";
    auto made =
        ModuleInstance::create_mounted(services, std::move(*file), InstanceRef(), {prefix, options, -1, ""});
    expect(made.has_value(), "the module starts");
    expect(router.add(0, prefix, std::move(*made)), "the prefix is free");
  }
  void let_time_pass(std::uint64_t seconds) const {
    loop->deadlines().expire(loop->now_ms() + seconds * kSecondMs);
  }
  // REQUIRES: its client has left.
  void expect_end() {
    for (int i = 0; i < 1000 && table.size() > 0; ++i) loop->turn(0);
    expect(table.size() == 0, "a connection ends when its client has left");
  }
};

class Steps {
 public:
  Steps(const std::uint8_t* data, std::size_t size) : left_(reinterpret_cast<const char*>(data), size) {}
  bool done() const { return left_.empty(); }
  std::uint8_t byte() {
    if (left_.empty()) return 0;
    const char first = left_.front();
    left_.remove_prefix(1);
    return static_cast<std::uint8_t>(first);
  }
  std::string_view bytes(std::size_t size) {
    const std::string_view first = left_.substr(0, size);
    left_.remove_prefix(first.size());
    return first;
  }

 private:
  std::string_view left_;
};

}  // namespace sluice::fuzz
