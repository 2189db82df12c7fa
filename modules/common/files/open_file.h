// A file that was opened beneath a mount: its descriptor, what fstat said of it when it was opened or last
// looked at, its prepared head lines, and its content when that is small and may be kept.
//
// Shared by the cache, the bodies that send it and the reads that are under way; the last of them closes it.
// References are taken and dropped on the loop thread only; offload threads use `fd`.
//
// INVARIANT: `fields` and `content` belong to `facts`; a file whose facts differ gets a new OpenFile.
#pragma once

#include <sluice/handler.h>

#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "common/files/file_facts.h"
#include "common/files/open_beneath.h"
#include "common/files/owned_fd.h"
#include "common/files/residency_memo.h"

namespace sluice::files {

// Tri-state answers to what a file system can do, asked at most once a file.
enum class Known : std::uint8_t { untried, yes, no };

// What all open files of a worker share.
struct OpenFilesState {
  bool threads_usable = true;                // the host may be asked for threads
  std::uint64_t content_room = 32ULL << 20;  // how much content may still be kept in memory
  std::string unkept;                        // what was last read and not kept: one for all files
};

class OpenFile {
 public:
  // Null when the head lines are refused. `host` outlives it.
  static std::shared_ptr<OpenFile> make(Host& host, std::shared_ptr<OpenFilesState> shared, OwnedFd fd,
                                        const FileFacts& facts, std::string_view path, std::string_view type,
                                        bool local = true);
  ~OpenFile();
  // Drops a reference. The last one leaves the descriptors, for whoever may close them.
  static void drop(std::shared_ptr<OpenFile> file, std::vector<OwnedFd>& left);
  OpenFile(const OpenFile&) = delete;
  OpenFile& operator=(const OpenFile&) = delete;

  int fd() const { return fd_.get(); }
  const FileFacts& facts() const { return facts_; }
  bool is_local() const { return local_; }           // else only threads ask or close it
  const std::string& path() const { return path_; }  // beneath the folder
  const std::string& type() const { return type_; }
  const std::string& etag() const { return validators_.etag; }
  bool has_mtime() const { return !validators_.last_modified.empty(); }
  // Type, validators, and that ranges are served.
  const FieldBlock& fields() const { return *fields_; }
  // The validators alone: for answers without this content.
  const FieldBlock& validator_fields() const { return *validator_fields_; }

  // Whether the file was still what `facts` says at some moment since then (CLOCK_MONOTONIC).
  bool unchanged_since(std::uint64_t since_ns);
  // Whether its path still leads to it, and it is what `facts` says. False where only opening it would tell: on
  // file systems that are no disk's, another machine or a process may have changed it; or a disk would have to
  // be waited for.
  bool unchanged_at(int folder, Links links);
  // The same where its file system tells of all changes, and the path is to end in no link.
  bool unchanged_right_at(int folder, Links links);
  // Makes the validators strong once the content is old enough.
  void mature();
  // The next change may leave no trace.
  bool is_young() const { return young_; }
  // The tag made of the content, for all head lines from now on. Those of before stay weak or made of times.
  void set_hash(const std::string& etag);
  bool has_hash() const { return !hash_.empty(); }
  // The content, from memory or read without waiting for a disk. Nothing when it is larger than `size_max` and
  // not there yet, would have to be waited for, or changed meanwhile. The view lives until the next call for
  // any file, or this one's end.
  std::optional<Bytes> content(std::uint64_t size_max);

  // What it was opened beneath, for whoever opens it once more; null: that is not wanted.
  std::shared_ptr<const OwnedFd> folder;
  // What has been found out about the file system, and about this file's place on it.
  Known nowait = Known::untried;  // preadv2(RWF_NOWAIT)
  Known direct = Known::untried;  // O_DIRECT
  bool extents_mapped = false;    // a thread has read of it, so where it lies is known to the kernel
  ResidencyMemo in_memory;
  Known decodable = Known::untried;  // by browsers, where the content is compressed: browsers_decode
  OwnedFd direct_fd;                 // a description with O_DIRECT, made by the first read that needs it

 private:
  OpenFile(Host& host, std::shared_ptr<OpenFilesState> shared, OwnedFd fd, const FileFacts& facts,
           std::string_view path, std::string_view type, bool local)
      : host_(host),
        shared_(std::move(shared)),
        fd_(std::move(fd)),
        facts_(facts),
        local_(local),
        path_(path),
        type_(type) {}
  bool unchanged() const;
  bool is_at(int folder, Links links, int extra_flags);
  bool prepare_fields(std::int64_t now_s);
  void release_fields();

  Host& host_;
  std::shared_ptr<OpenFilesState> shared_;
  OwnedFd fd_;
  FileFacts facts_;
  const bool local_;
  std::string path_;
  std::string type_;
  Validators validators_;
  std::string hash_;
  FieldBlock* fields_ = nullptr;
  FieldBlock* validator_fields_ = nullptr;
  std::string content_;
  std::uint64_t looked_ns_ = 0;  // before the last look
  bool content_kept_ = false;    // its size has been taken off the shared room
  bool young_ = true;
};

using FileRef = std::shared_ptr<OpenFile>;

}  // namespace sluice::files
