#include "common/files/open_file.h"

#include <fcntl.h>
#include <sys/sysmacros.h>

#include <cerrno>

#include "common/files/destroy_on_thread.h"
#include "common/files/residency.h"

namespace sluice::files {

std::shared_ptr<OpenFile> OpenFile::make(Host& host, std::shared_ptr<OpenFilesState> shared, OwnedFd fd,
                                         const FileFacts& facts, std::string_view path, std::string_view type,
                                         bool local) {
  std::shared_ptr<OpenFile> made(
      new OpenFile(host, std::move(shared), std::move(fd), facts, path, type, local));
  if (!local) made->nowait = made->direct = Known::no;
  if (!made->prepare_fields(wall_seconds())) return nullptr;
  // Whatever makes the kernel read on fills a hole with zeros, at once. POSIX_FADV_RANDOM keeps a probe or a
  // sendfile from doing so on the loop.
  if (facts.has_holes && local) posix_fadvise(made->fd(), 0, 0, POSIX_FADV_RANDOM);
  return made;
}

OpenFile::~OpenFile() {
  release_fields();
  if (content_kept_) shared_->content_room += content_.size();
  FileFacts now;
  if (!fd_ || !shared_->threads_usable || (local_ && (read_facts(fd(), now) != 0 || now.links > 0))) return;
  // The last close of an unlinked file frees its blocks, which can take long. On a network, any close asks a
  // server.
  direct_fd = OwnedFd();
  destroy_on_thread(host_, std::move(fd_));
}

void OpenFile::drop(std::shared_ptr<OpenFile> file, std::vector<OwnedFd>& left) {
  if (file.use_count() > 1) return;
  left.push_back(std::move(file->fd_));
  if (file->direct_fd) left.push_back(std::move(file->direct_fd));
}

void OpenFile::release_fields() {
  if (fields_ != nullptr) host_.release_fields(fields_);
  if (validator_fields_ != nullptr) host_.release_fields(validator_fields_);
  fields_ = validator_fields_ = nullptr;
}

bool OpenFile::prepare_fields(std::int64_t now_s) {
  validators_ = make_validators(facts_, now_s);
  if (!hash_.empty()) validators_.etag = hash_;
  Field lines[4] = {{"Content-Type", type_}, {"Accept-Ranges", "bytes"}};
  std::uint32_t count = 2;
  if (!validators_.last_modified.empty()) lines[count++] = {"Last-Modified", validators_.last_modified};
  if (!validators_.etag.empty()) lines[count++] = {"ETag", validators_.etag};
  // The old lines stay until there are new ones, whatever fails.
  FieldBlock* const made = host_.prepare_fields(lines, count);
  if (made == nullptr) return false;
  FieldBlock* const made_validators = host_.prepare_fields(lines + 2, count - 2);
  if (made_validators == nullptr) {
    host_.release_fields(made);
    return false;
  }
  release_fields();
  fields_ = made;
  validator_fields_ = made_validators;
  young_ = file_is_young(facts_, now_s);
  return true;
}

bool OpenFile::unchanged_since(std::uint64_t since_ns) {
  // A look that covered the kept content is enough. Content that is not kept may have changed after it.
  if (content_kept_ && looked_ns_ >= since_ns) return true;
  looked_ns_ = monotonic_ns();
  return unchanged();
}

bool OpenFile::unchanged_at(int folder_fd, Links links) {
  return gnu_dev_major(facts_.device) != 0 && is_at(folder_fd, links, 0);
}

bool OpenFile::unchanged_right_at(int folder_fd, Links links) {
  return is_at(folder_fd, links, O_NOFOLLOW);
}

bool OpenFile::is_at(int folder_fd, Links links, int extra_flags) {
  const std::uint64_t now_ns = monotonic_ns();
  FileFacts now;
  const int error = look_beneath(folder_fd, path_.c_str(), Resolve::cached_only, links, now, extra_flags);
  if (error != 0 || now != facts_) return false;
  looked_ns_ = now_ns;
  return true;
}

bool OpenFile::unchanged() const {
  FileFacts now;
  return read_facts(fd(), now) == 0 && now == facts_ && now.links > 0;
}

void OpenFile::mature() {
  if (!young_) return;
  const std::int64_t now_s = wall_seconds();
  if (!file_is_young(facts_, now_s)) prepare_fields(now_s);
}

void OpenFile::set_hash(const std::string& etag) {
  hash_ = etag;
  prepare_fields(wall_seconds());
}

std::optional<Bytes> OpenFile::content(std::uint64_t size_max) {
  const std::uint64_t size = facts_.size;
  if (content_kept_) return Bytes(content_);
  if (size > size_max) return std::nullopt;
  if (size == 0) return Bytes("", 0);
  if (nowait == Known::no) return std::nullopt;

  std::string& read = shared_->unkept;
  if (read.size() < size) read.resize(size);
  const ssize_t got = read_nowait(fd(), read.data(), size, 0);
  if (got < 0 && errno == EOPNOTSUPP) nowait = Known::no;
  if (got != static_cast<ssize_t>(size) || !unchanged()) return std::nullopt;
  if (size > shared_->content_room || file_is_young(facts_, wall_seconds())) return Bytes(read.data(), size);
  shared_->content_room -= size;
  content_.assign(read, 0, size);
  content_kept_ = true;
  return Bytes(content_);
}

}  // namespace sluice::files
