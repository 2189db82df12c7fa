// A file cache on a fake host, and a folder with files.
#pragma once

#include <fcntl.h>
#include <sys/sysmacros.h>

#include <catch2/catch.hpp>
#include <chrono>
#include <string>
#include <thread>

#include "common/files/file_cache.h"
#include "common/files/local_disks.h"
#include "common/files/open_beneath.h"
#include "common/http/mime_types.h"
#include "support/fake_host.h"
#include "support/temp_folder.h"

namespace sluice::files::test {

using sluice::test::FakeHost;
using sluice::test::FakeServer;
using sluice::test::TempFolder;

inline constexpr std::uint64_t kRevalidateMs = 1000;

struct CacheFixture {
  FakeServer server;
  FakeHost host{server, {}};
  TempFolder folder;
  OwnedFd folder_fd{open(folder.path.c_str(), O_PATH | O_DIRECTORY | O_CLOEXEC)};
  FileCache cache{host};
  Root& root = cache.root(folder_fd.get(), "");
  std::uint32_t scope = cache.scope(root, "x/y");

  CacheFixture() {
    learn_mounts();
    cache.allow_entries(4);
  }
  ~CacheFixture() {
    cache.retire();
    server.run_until([this] { return server.offload_idle(); });
  }

  FileCache::Lookup lookup(std::uint64_t revalidate_ms = kRevalidateMs, Links links = Links::followed) const {
    return {scope, root, links, revalidate_ms};
  }
  FileRef open_file(const std::string& name) {
    Opened opened = open_beneath(folder_fd.get(), name.c_str(), Resolve::may_block);
    REQUIRE(opened.error == 0);
    return cache.insert(lookup(), name, root.folder, std::move(opened.fd), opened.facts,
                        mime_type(name, "x/y"));
  }
  FileRef find(const std::string& name, std::uint64_t revalidate_ms, std::uint64_t since_ns) {
    return cache.find(lookup(revalidate_ms), name, since_ns);
  }
  bool changes_are_told() {
    struct statx known {};
    return look_unsynced(folder_fd.get(), known) && cache.ways().feed().tells(known);
  }
  // Not every file system can tell without waiting: see open_file.h. A link can be followed without waiting
  // only if its times need no update, that is, if it was followed at a later tick of the clock than it was
  // made.
  bool look_tells(const std::string& name) {
    FileFacts facts;
    const auto look = [&](Resolve resolve) {
      return look_beneath(folder_fd.get(), name.c_str(), resolve, Links::followed, facts);
    };
    std::this_thread::sleep_for(std::chrono::milliseconds(20));
    look(Resolve::may_block);
    return look(Resolve::cached_only) == 0 && gnu_dev_major(facts.device) != 0;
  }
  FileRef find(const std::string& name) { return find(name, kRevalidateMs, monotonic_ns()); }
};

}  // namespace sluice::files::test
