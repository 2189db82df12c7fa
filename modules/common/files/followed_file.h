// A small file of text whose changes are taken while the server runs. It is read, and made into something, on a
// thread when it may have changed: when inotify(7) says so, and once a minute, since inotify is silent on
// network file systems and when a folder on the way is replaced. A file that has become wrong leaves what was
// made before as it is.
//
// Loop thread. A FollowedFile lives longer than the works that it has begun: as long as its handler.
#pragma once

#include <sluice/handler.h>

#include <memory>
#include <string>
#include <vector>

#include "common/files/file_facts.h"
#include "common/files/owned_fd.h"

namespace sluice::files {

// What is made of one version of the file.
class FileChange {
 public:
  virtual ~FileChange() = default;
  // On a thread, or at the start on the loop. Throws std::runtime_error with a sentence if the text is wrong.
  virtual void prepare(const std::string& text) = 0;
  // On the loop, once, after a prepare that has not thrown.
  virtual void take() = 0;
};

class FileFollower {
 public:
  virtual std::unique_ptr<FileChange> begin_change() = 0;
  // The file is missing, cannot be read, or is wrong. Not told twice in a row with the same sentence.
  virtual void refuse_change(const std::string& mistake) = 0;

 protected:
  ~FileFollower() = default;
};

// What the sentences about a file say.
struct FileKind {
  const char* name;     // "a file of Lua"
  const char* missing;  // what to do if there is none
  std::uint64_t mib_max;
};

class FollowedFile;

// The watches of all followed files of a worker: to close an inotify may sleep in the kernel, so no handler has
// one of its own. Belongs to the module's Shared.
class FileWatches final : private Watcher {
 public:
  explicit FileWatches(Host& host) : host_(host) {}
  FileWatches(const FileWatches&) = delete;
  FileWatches& operator=(const FileWatches&) = delete;
  ~FileWatches() { stop(); }
  // Nothing is watched from now on. For Shared::retire.
  void close();

 private:
  friend class FollowedFile;

  void add(FollowedFile& file);
  void remove(FollowedFile& file);
  void ready(std::uint32_t events) override;
  void stop();

  Host& host_;
  std::shared_ptr<OwnedFd> inotify_;  // also of the looks under way; null before the first file, and in the end
  bool watched_ = false;
  std::vector<FollowedFile*> files_;
};

class FollowedFile final : private Timer {
 public:
  FollowedFile(Host& host, FileWatches& watches, std::string path, const FileKind& kind,
               FileFollower& follower);
  FollowedFile(const FollowedFile&) = delete;
  FollowedFile& operator=(const FollowedFile&) = delete;
  ~FollowedFile();

  // Reads the file and takes it, so the loop may wait for a disk. Throws std::runtime_error with a sentence.
  void begin();
  // Changes are not taken any more. For Handler::retire.
  void close();

 private:
  friend class FileWatches;
  struct Reading {
    std::string text;
    std::string mistake;
    FileFacts facts;           // all zero if it could not be opened
    bool young = true;         // its last change was so fresh that another one may leave the facts as they are
    bool is_the_same = false;  // as the reading before
  };
  class Look;

  static Reading read(const std::string& path, const FileKind& kind, const Reading& known, int inotify);
  void changed();
  void fired() override;
  void look();
  void look_in(std::uint64_t delay_ms);
  void take(Reading reading, FileChange* change);

  Host& host_;
  FileWatches& watches_;
  const std::string path_;
  const FileKind kind_;
  FileFollower& follower_;
  Reading last_;
  TimerId timer_;
  std::uint64_t due_ms_ = 0;
  bool looking_ = false;
  bool look_again_ = false;  // something has changed since the look began
  bool closed_ = false;
};

}  // namespace sluice::files
