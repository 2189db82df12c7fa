// The folder that a mount serves: its root, and the place in it. Both are known by the paths that a person
// wrote. So the folder is found anew after its root was replaced or mounted over, or when a link was
// switched. A confined worker may not read another root than its first one: then it goes on with that, and
// asks the server for new workers.
//
// One per handler. Loop thread, except `search`.
#pragma once

#include <sluice/handler.h>

#include <cstdint>
#include <memory>
#include <string>

#include "common/files/file_cache.h"
#include "common/files/owned_fd.h"

namespace sluice::files {

class ServedFolder final : private Answered {
 public:
  ServedFolder(Host& host, FileCache& cache, std::uint64_t revalidate_ms);
  ~ServedFolder();
  ServedFolder(const ServedFolder&) = delete;
  ServedFolder& operator=(const ServedFolder&) = delete;

  const Root& root() const { return root_; }
  // The part of the path between the root and what requests name; empty or ending in '/'.
  const std::string& prefix() const { return prefix_; }

  // Whether it is known where the folder is now. If not, a thread has to `search`, and `take` gets the
  // result. REQUIRES: the cache has looked.
  bool is_known() {
    const bool stands = root_.way.standing() != WatchedPath::kNever &&
                        (path_.empty() || way_.standing() != WatchedPath::kNever);
    return stands || root_.path.empty() || find();
  }

  struct Place {
    int error = 0;  // of errno(3)
    OwnedFd folder;
  };
  struct Places {
    std::string root_path;
    std::string path;
    Place root;
    Place mount;
    std::uint64_t root_search = 0;  // the numbers of these two searches
    std::uint64_t mount_search = 0;
  };
  Places to_search() { return {root_.path, path_, {}, {}, ++root_.begun, ++begun_}; }
  // Any thread; may block.
  static void search(Places& places);
  void take(Places places);

 private:
  bool find();
  bool find_root();
  bool find_mount();
  bool is_asked_for(const WatchedPath& way, std::uint64_t asked_ms) const;
  void take_root(Place place);
  void answered(bool, Bytes) override {}
  void take_mount(Place place);
  void complain(bool& complained, const std::string& path, const std::string& why);

  Host& host_;
  FileCache& cache_;
  const std::uint64_t revalidate_ms_;
  const bool confined_;  // this worker may read the root that it began with, and no other
  Root& root_;
  const std::string path_;  // as a person wrote it, but absolute; empty if the root is served, or unknown
  std::string prefix_;
  WatchedPath way_;  // to path_
  std::uint64_t asked_ms_ = 0;
  bool was_cold_ = false;  // this and the next three: as in Root, but for the way to path_
  std::uint64_t begun_ = 0;
  std::uint64_t taken_ = 0;
  std::uint64_t cold_at_ = 0;
  bool complained_ = false;
};

}  // namespace sluice::files
