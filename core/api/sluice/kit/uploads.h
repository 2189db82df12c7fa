// Forms with files that are too large for memory (multipart/form-data, RFC 7578):
//
//     kit::Flow add(kit::Call& call) {
//       const kit::Upload upload = co_await kit::upload(call, {.folder = "/srv/album"});
//       const kit::UploadPart* photo = upload.find("photo");
//       if (photo == nullptr) throw kit::Refuse{422, "Send a photo"};
//       co_await call.offload([&] { photo->save("/srv/album/photo-1"); });
//       call.done(201);
//     }
//
// The first bytes of a part are held in memory. If it has more, all of it goes into a file without a name
// (O_TMPFILE of open(2)), which a thread writes, and which is gone when the part is destroyed, unless it was
// saved. While the disk is slow, the client is paused. Closing a large file that was not saved frees its
// blocks, which takes a while: Upload::close_files does it on a thread, by call.offload.
//
// The loop's thread. UploadPart: any, one at a time.
#pragma once

#include <fcntl.h>
#include <sluice/handler.h>
#include <sluice/kit/call.h>
#include <sluice/kit/multipart.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <cstdint>
#include <cstdlib>
#include <deque>
#include <exception>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <system_error>
#include <utility>

namespace sluice::kit {

// Without destructors, since g++ 12 destroys some temporaries of a co_await twice.
struct UploadLimits {
  // Of the files. The workers' user has to be allowed to write there. A folder in memory, as /tmp often is,
  // would let clients fill that.
  std::string_view folder = "/var/tmp";
  std::uint64_t size_max = 1ULL << 30;    // of the whole content; 413 above. --body-max limits it, too
  std::uint64_t memory_max = 64 * 1024;   // of a part; if it has more, it becomes a file
  std::uint64_t queue_max = 1024 * 1024;  // what may wait for the disk
  std::size_t parts_max = 64;
};

namespace detail {

// A descriptor, closed at the end.
class PartFile {
 public:
  PartFile() = default;
  PartFile(PartFile&& other) noexcept : fd_(std::exchange(other.fd_, -1)) {}
  PartFile& operator=(PartFile&& other) noexcept {
    std::swap(fd_, other.fd_);
    return *this;
  }
  ~PartFile() {
    if (fd_ >= 0) ::close(fd_);
  }
  int get() const { return fd_; }
  void close() { const PartFile closed = std::move(*this); }
  // False on file systems that have no files without names.
  bool open_nameless(const std::string& folder) {
    fd_ = ::open(folder.c_str(), O_TMPFILE | O_RDWR | O_CLOEXEC, 0600);
    return fd_ >= 0;
  }
  void open_in(const std::string& folder) {
    if (open_nameless(folder)) return;
    if (errno == EOPNOTSUPP || errno == EISDIR) {
      std::string path = folder + "/upload-XXXXXX";
      fd_ = ::mkostemp(path.data(), O_CLOEXEC);
      if (fd_ >= 0) ::unlink(path.c_str());
    }
    if (fd_ < 0) fail("cannot make a file in " + folder);
  }
  void open_new(const std::string& path) {
    fd_ = ::open(path.c_str(), O_CREAT | O_EXCL | O_WRONLY | O_CLOEXEC, 0600);
    if (fd_ < 0) fail("cannot make " + path);
  }
  void write(std::string_view bytes) const {
    while (!bytes.empty()) {
      const ssize_t written = ::write(fd_, bytes.data(), bytes.size());
      if (written < 0 && errno != EINTR) fail("cannot write what was sent");
      bytes.remove_prefix(static_cast<std::size_t>(std::max<ssize_t>(written, 0)));
    }
  }
  void copy(int from) const {
    std::string piece(64 * 1024, '\0');
    for (off_t at = 0;;) {
      const ssize_t got = ::pread(from, piece.data(), piece.size(), at);
      if (got == 0) return;
      if (got < 0 && errno != EINTR) fail("cannot read what was sent");
      if (got < 0) continue;
      write(std::string_view(piece).substr(0, static_cast<std::size_t>(got)));
      at += got;
    }
  }
  // A name for a file that has none.
  bool link_to(const std::string& path) const {
    const std::string link = "/proc/self/fd/" + std::to_string(fd_);
    return ::linkat(AT_FDCWD, link.c_str(), AT_FDCWD, path.c_str(), AT_SYMLINK_FOLLOW) == 0;
  }
  [[noreturn]] static void fail(const std::string& what) {
    throw std::system_error(errno, std::generic_category(), what);
  }

 private:
  int fd_ = -1;
};

}  // namespace detail

// A field of the form, or a file.
class UploadPart {
 public:
  std::string name;
  std::optional<std::string> file_name;  // as FormPart says: what the client has made up, so it is no path
  std::string type;
  std::uint64_t size = 0;
  std::string content;  // unless the part is in a file

  // The descriptor of its file, for pread(2) and mmap(2); -1 if it is in memory.
  int fd() const { return file_.get(); }
  // Gives it a name, which nobody has yet; its mode is 0600. It blocks, so call it on a thread. A file gets the
  // name at once if that is on the file system of UploadLimits::folder, and is copied otherwise. What fails
  // leaves no file, and throws std::system_error.
  void save(const std::string& path) const {
    if (fd() >= 0) {
      if (file_.link_to(path)) return;
      // ENOENT: it had a name once, since its file system has no files without one.
      if (errno != EXDEV && errno != ENOENT) detail::PartFile::fail("cannot give the file the name " + path);
    }
    detail::PartFile saved;
    const bool has_name = !saved.open_nameless(folder_of(path));
    if (has_name) saved.open_new(path);
    try {
      if (fd() >= 0) {
        saved.copy(fd());
      } else {
        saved.write(content);
      }
      if (!has_name && !saved.link_to(path)) detail::PartFile::fail("cannot give the file the name " + path);
    } catch (const std::exception&) {
      if (has_name) ::unlink(path.c_str());
      throw;
    }
  }

 private:
  friend class Upload;
  friend class UploadWriter;
  static std::string folder_of(const std::string& path) {
    const std::size_t slash = path.rfind('/');
    return slash == std::string::npos ? "." : path.substr(0, slash + 1);
  }
  detail::PartFile file_;
};

class Upload {
 public:
  // The first of that name; null without one.
  const UploadPart* find(std::string_view name) const {
    const auto found =
        std::find_if(parts_.begin(), parts_.end(), [&](const UploadPart& part) { return part.name == name; });
    return found == parts_.end() ? nullptr : &*found;
  }
  std::size_t size() const { return parts_.size(); }
  auto begin() const { return parts_.begin(); }
  auto end() const { return parts_.end(); }
  // Parts in files that were not saved are gone then. Any thread.
  void close_files() {
    for (UploadPart& part : parts_) part.file_.close();
  }

 private:
  friend class UploadWriter;
  std::deque<UploadPart> parts_;  // stay where they are
};

// Receives an upload: belongs to the one that waits, the reader, and a work that is out, of which any may end
// last.
//
// INVARIANT: while a work is out, only it uses the file of the part that it writes.
class UploadWriter final : public MultipartReader::Parts, public std::enable_shared_from_this<UploadWriter> {
 public:
  UploadWriter(detail::Run& run, std::string_view content_type, const UploadLimits& limits)
      : host_(run.host()), limits_(limits), folder_(limits.folder), multipart_(content_type, *this) {}

  void begin(const std::shared_ptr<detail::Run>& run) {
    waiting_ = run;
    ticket_ = run->exchange().ticket();
    run->exchange().receive(new BodyReader(shared_from_this()));
  }
  void forget() { waiting_ = nullptr; }
  Upload result() {
    if (thrown_ != nullptr) std::rethrow_exception(thrown_);
    return std::move(upload_);
  }

 private:
  struct Piece {
    UploadPart* part;
    std::string bytes;
  };
  class BodyReader final : public Reader {
   public:
    explicit BodyReader(std::shared_ptr<UploadWriter> writer) : writer_(std::move(writer)) {}
    std::uint64_t take(Bytes piece) override { return writer_->take(piece); }
    void end() override { writer_->end(); }

   private:
    const std::shared_ptr<UploadWriter> writer_;
  };
  class Writing final : public Work {
   public:
    Writing(std::shared_ptr<UploadWriter> writer, std::deque<Piece> pieces)
        : writer_(std::move(writer)), pieces_(std::move(pieces)) {}
    void run() override {
      try {
        for (const Piece& piece : pieces_) {
          if (piece.part->file_.get() < 0) piece.part->file_.open_in(writer_->folder_);
          piece.part->file_.write(piece.bytes);
        }
      } catch (const std::system_error& error) {
        const bool is_full = error.code() == std::errc::no_space_on_device || error.code().value() == EDQUOT;
        thrown_ = is_full ? std::make_exception_ptr(Refuse{507, "There is no room for the file"})
                          : std::current_exception();
      }
    }
    void done(bool ran) override {
      if (!ran) thrown_ = std::make_exception_ptr(Refuse{503, "The server is busy: try again later"});
      writer_->written(thrown_);
    }

   private:
    const std::shared_ptr<UploadWriter> writer_;
    const std::deque<Piece> pieces_;
    std::exception_ptr thrown_;
  };

  std::uint64_t take(Bytes piece) {
    if (waiting_ == nullptr || thrown_ != nullptr) return piece.size;  // the rest of what is refused
    if (queued_ != 0 && queued_ >= limits_.queue_max) return 0;        // `written` goes on
    return_thrown([&] {
      received_ += piece.size;
      if (received_ > limits_.size_max)
        throw Refuse{413, "The content may have " + std::to_string(limits_.size_max) + " bytes"};
      multipart_.take(piece);
      write();
    });
    return piece.size;
  }
  void end() {
    has_ended_ = true;
    if (waiting_ == nullptr || thrown_ != nullptr) return;
    return_thrown([&] { multipart_.end(); });
    if (thrown_ == nullptr && !is_writing_) wake();
  }
  void begin_part(FormPart part) override {
    if (upload_.parts_.size() == limits_.parts_max) throw Refuse{413, "The form has too many parts"};
    UploadPart& added = upload_.parts_.emplace_back();
    added.name = std::move(part.name);
    added.file_name = std::move(part.file_name);
    added.type = std::move(part.type);
  }
  void add_content(std::string_view piece) override {
    UploadPart& part = upload_.parts_.back();
    const bool was_in_memory = part.size <= limits_.memory_max;
    part.size += piece.size();
    if (part.size <= limits_.memory_max) {
      part.content += piece;
      return;
    }
    std::string bytes = was_in_memory ? std::exchange(part.content, {}) : std::string();
    bytes += piece;
    queued_ += bytes.size();
    pieces_.push_back({&part, std::move(bytes)});
  }
  void write() {
    if (is_writing_ || pieces_.empty()) return;
    auto work = std::make_unique<Writing>(shared_from_this(), std::exchange(pieces_, {}));
    if (!host_.offload(work.get())) throw Refuse{503, "The server is busy: try again later"};
    static_cast<void>(work.release());  // it is the server's now
    is_writing_ = true;
    queued_ = 0;
  }
  void written(const std::exception_ptr& thrown) {
    is_writing_ = false;
    if (waiting_ == nullptr || thrown_ != nullptr) return;
    return_thrown([&] {
      if (thrown != nullptr) std::rethrow_exception(thrown);
      write();
    });
    if (thrown_ != nullptr) return;
    if (has_ended_ && !is_writing_) return wake();
    host_.resume(ticket_);  // the reader may go on
  }
  template <typename Function>
  void return_thrown(Function function) {
    try {
      function();
    } catch (...) {
      thrown_ = std::current_exception();
      wake();
    }
  }
  void wake() {
    if (const auto run = std::exchange(waiting_, nullptr)) run->wake();
  }

  Host& host_;
  const UploadLimits limits_;
  const std::string folder_;
  Upload upload_;
  MultipartReader multipart_;
  std::shared_ptr<detail::Run> waiting_;  // null when nobody waits (any more)
  Ticket ticket_{};
  std::deque<Piece> pieces_;  // not given to a thread yet
  std::uint64_t queued_ = 0;  // their bytes
  std::uint64_t received_ = 0;
  bool is_writing_ = false;
  bool has_ended_ = false;
  std::exception_ptr thrown_;
};

namespace detail {

class UploadWait {
 public:
  UploadWait(Run& run, std::string content_type, const UploadLimits& limits)
      : run_(run), content_type_(std::move(content_type)), folder_(limits.folder), limits_(limits) {
    limits_.folder = folder_;
  }
  UploadWait(const UploadWait&) = delete;
  UploadWait& operator=(const UploadWait&) = delete;
  ~UploadWait() {
    if (writer_ != nullptr) writer_->forget();
  }
  bool await_ready() {
    run_.take_body();
    const std::uint64_t size = run_.exchange().request().body_size;
    if (size != kUnknownSize && size > limits_.size_max)
      throw Refuse{413, "The content may have " + std::to_string(limits_.size_max) + " bytes"};
    writer_ = std::make_shared<UploadWriter>(run_, content_type_, limits_);
    writer_->begin(run_.shared_from_this());
    return false;
  }
  void await_suspend(std::coroutine_handle<>) noexcept {}
  Upload await_resume() { return writer_->result(); }

 private:
  Run& run_;
  const std::string content_type_;
  const std::string folder_;
  UploadLimits limits_;
  std::shared_ptr<UploadWriter> writer_;
};

}  // namespace detail

// Receives the request's content, of the type multipart/form-data, once. Behind co_await it is an Upload, or
// throws: a Refuse with 415, 400, 413, 503 or 507, or std::system_error if the folder takes no files.
[[nodiscard]] inline detail::UploadWait upload(Call& call, const UploadLimits& limits = {}) {
  return call.wait_for<detail::UploadWait>(call.field(FieldId::content_type).value_or(""), limits);
}

}  // namespace sluice::kit
