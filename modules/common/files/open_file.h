// A file that was opened beneath a mount: its descriptor, what fstat said of it when it was opened or last
// checked, its prepared head lines, and its content if that is small and may be kept.
//
// The cache, the bodies that send it and the reads under way share it; the last of them closes it. References
// are taken and dropped on the loop thread only; offload threads use `fd`.
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

// Whether a file system can do something. It is asked at most once a file.
enum class Known : std::uint8_t { untried, yes, no };

// What all open files of a worker share.
struct OpenFilesState {
  bool threads_usable = true;                // the host may be asked for threads
  std::uint64_t content_room = 32ULL << 20;  // how much content may still be kept in memory
  std::string unkept;                        // the last content that was read and not kept: one for all files
};

class OpenFile {
 public:
  // Null when the head lines are refused. `host` lives longer.
  static std::shared_ptr<OpenFile> make(Host& host, std::shared_ptr<OpenFilesState> shared, OwnedFd fd,
                                        const FileFacts& facts, std::string_view path, std::string_view type,
                                        bool local = true);
  ~OpenFile();
  // Drops a reference. If it is the last one, its descriptors go to `left`, for the caller to close.
  static void drop(std::shared_ptr<OpenFile> file, std::vector<OwnedFd>& left);
  OpenFile(const OpenFile&) = delete;
  OpenFile& operator=(const OpenFile&) = delete;

  int fd() const { return fd_.get(); }
  const FileFacts& facts() const { return facts_; }
  bool is_local() const { return local_; }           // if not, only threads ask or close it
  const std::string& path() const { return path_; }  // beneath the mount's folder
  const std::string& type() const { return type_; }
  const std::string& etag() const { return validators_.etag; }
  bool has_mtime() const { return !validators_.last_modified.empty(); }
  // The lines for Content-Type, the validators, and Accept-Ranges.
  const FieldBlock& fields() const { return *fields_; }
  // The validators alone, for answers that carry other content or none.
  const FieldBlock& validator_fields() const { return *validator_fields_; }

  // Whether the file was as `facts` says at some moment after `since_ns` (CLOCK_MONOTONIC).
  bool unchanged_since(std::uint64_t since_ns);
  // Whether its path still leads to it, and it is as `facts` says. False if only opening it would tell: on a
  // file system that another machine or a process may change, and when the answer would have to come from a
  // disk.
  bool unchanged_at(int folder_fd, Links links);
  // The same on a file system that reports all changes. The path may end in no link.
  bool unchanged_right_at(int folder_fd, Links links);
  // Makes the validators strong once the content is old enough.
  void mature();
  // Young: its next change may leave no trace in the times.
  bool is_young() const { return young_; }
  // Sets the tag made of the content, for all head lines from now on. Answers under way keep the old one.
  void set_hash(const std::string& etag);
  bool has_hash() const { return !hash_.empty(); }
  // The content, from memory or read without waiting for a disk. Nothing when it is not kept and larger than
  // `size_max`, when a disk would have to be waited for, or when it changed meanwhile. The view is valid
  // until the next call for any file, or until this file ends.
  std::optional<Bytes> content(std::uint64_t size_max);

  // The folder it was opened beneath, needed to open it once more; null if that is not wanted.
  std::shared_ptr<const OwnedFd> folder;
  // What has been found out about the file system and this file.
  Known nowait = Known::untried;  // preadv2(RWF_NOWAIT)
  Known direct = Known::untried;  // O_DIRECT
  bool extents_mapped = false;    // a thread has read from it, so the kernel knows where its blocks lie
  ResidencyMemo in_memory;
  Known decodable = Known::untried;  // by browsers, if the content is compressed: browsers_decode
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
  bool is_at(int folder_fd, Links links, int extra_flags);
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
  std::uint64_t looked_ns_ = 0;  // the moment before the last check
  bool content_kept_ = false;    // its size was subtracted from content_room
  bool young_ = true;
};

using FileRef = std::shared_ptr<OpenFile>;

}  // namespace sluice::files
