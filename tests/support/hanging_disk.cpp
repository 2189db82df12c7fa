#include "support/hanging_disk.h"

#include <fcntl.h>
#include <linux/fuse.h>
#include <sys/mman.h>
#include <sys/mount.h>
#include <sys/prctl.h>
#include <sys/stat.h>
#include <sys/uio.h>
#include <sys/wait.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <cerrno>
#include <csignal>
#include <cstring>
#include <new>
#include <string_view>

namespace sluice::test {
namespace {

constexpr std::uint64_t kRoot = FUSE_ROOT_ID;
constexpr std::uint64_t kOnlyFile = 2;
constexpr std::size_t kRequestMax = 256 * 1024;
constexpr unsigned kPiece = 64 * 1024;

// Speaks FUSE for one mount. No answer stays valid, so that each use of the file asks again.
class Tongue {
 public:
  Tongue(int fd, const std::string& content, const std::atomic<DiskFault>& fault)
      : fd_(fd), content_(content), fault_(fault) {}

  // False once it is unmounted.
  bool take_request() {
    const ssize_t got = ::read(fd_, request_.data(), request_.size());
    if (got < 0) return errno == EINTR || errno == EAGAIN || errno == ENOENT;
    return got >= static_cast<ssize_t>(sizeof(fuse_in_header));
  }

  // Some requests have no answer.
  bool wants_answer() const {
    const std::uint32_t code = header().opcode;
    return code != FUSE_FORGET && code != FUSE_BATCH_FORGET && code != FUSE_INTERRUPT;
  }

  void answer() {
    switch (header().opcode) {
      case FUSE_INIT:
        return init();
      case FUSE_LOOKUP:
        return look_up(argument<char>());
      case FUSE_GETATTR:
        return reply(fuse_attr_out{0, 0, 0, attributes(header().nodeid)});
      case FUSE_OPEN:
        return fault_ == DiskFault::opens_fail ? fail(EIO) : reply(fuse_open_out{});
      case FUSE_OPENDIR:
        return reply(fuse_open_out{});
      case FUSE_READ:
        return read(*argument<fuse_read_in>());
      case FUSE_READDIR:
        return reply_bytes({});
      case FUSE_FLUSH:
      case FUSE_RELEASE:
      case FUSE_RELEASEDIR:
      case FUSE_ACCESS:
      case FUSE_DESTROY:
        return reply_bytes({});
      default:
        return fail(ENOSYS);
    }
  }

 private:
  const fuse_in_header& header() const { return *reinterpret_cast<const fuse_in_header*>(request_.data()); }
  template <typename Argument>
  const Argument* argument() const {
    return reinterpret_cast<const Argument*>(request_.data() + sizeof(fuse_in_header));
  }

  void send(int error, std::string_view bytes) {
    fuse_out_header head{};
    head.len = static_cast<std::uint32_t>(sizeof(head) + bytes.size());
    head.error = -error;
    head.unique = header().unique;
    const iovec pieces[] = {{&head, sizeof(head)}, {const_cast<char*>(bytes.data()), bytes.size()}};
    static_cast<void>(::writev(fd_, pieces, bytes.empty() ? 1 : 2));
  }
  void fail(int error) { send(error, {}); }
  void reply_bytes(std::string_view bytes) { send(0, bytes); }
  template <typename Out>
  void reply(const Out& out) {
    reply_bytes({reinterpret_cast<const char*>(&out), sizeof(out)});
  }

  std::size_t told_size() const {
    const std::size_t size = content_.size();
    return fault_ == DiskFault::larger ? size + kPiece : fault_ == DiskFault::smaller ? size / 2 : size;
  }
  fuse_attr attributes(std::uint64_t node) const {
    fuse_attr found{};
    found.ino = node;
    found.mode = node == kRoot ? S_IFDIR | 0755 : S_IFREG | 0644;
    found.nlink = 1;
    found.size = node == kRoot ? 0 : told_size();
    found.mtime = found.ctime = found.atime = 1'000'000'000;
    found.blksize = 4096;
    return found;
  }
  void init() {
    fuse_init_out out{};
    out.major = FUSE_KERNEL_VERSION;
    out.minor = FUSE_KERNEL_MINOR_VERSION;
    out.max_write = kPiece;
    out.max_background = 16;
    reply(out);
  }
  void look_up(std::string_view name) {
    if (header().nodeid != kRoot || name != HangingDisk::kFile) return fail(ENOENT);
    fuse_entry_out out{};
    out.nodeid = kOnlyFile;
    out.attr = attributes(kOnlyFile);
    reply(out);
  }
  void read(const fuse_read_in& wanted) {
    if (fault_ == DiskFault::reads_fail) return fail(EIO);
    const std::size_t from = std::min<std::size_t>(wanted.offset, content_.size());
    const unsigned most = fault_ == DiskFault::reads_short ? HangingDisk::kShortRead : wanted.size;
    reply_bytes(std::string_view(content_).substr(from, std::min(most, wanted.size)));
  }

  const int fd_;
  const std::string& content_;
  const std::atomic<DiskFault>& fault_;
  alignas(fuse_in_header) std::array<char, kRequestMax> request_{};
};

}  // namespace

HangingDisk::HangingDisk(const std::string& folder, const std::string& content) : folder_(folder) {
  void* memory = ::mmap(nullptr, sizeof(State), PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS, -1, 0);
  if (memory == MAP_FAILED) return;
  state_ = new (memory) State;
  const int fd = ::open("/dev/fuse", O_RDWR | O_CLOEXEC);
  if (fd < 0) return;
  const std::string options = "fd=" + std::to_string(fd) + ",rootmode=40000,user_id=0,group_id=0,allow_other";
  mounted_ = ::mount("sluice-test", folder.c_str(), "fuse.hanging", MS_NODEV | MS_NOSUID, options.c_str()) == 0;
  if (mounted_) child_ = ::fork();
  if (child_ == 0) {
    ::prctl(PR_SET_PDEATHSIG, SIGKILL);
    static Tongue tongue(fd, content, state_->fault);
    while (tongue.take_request()) {
      if (state_->hangs && tongue.wants_answer()) {
        ++state_->unanswered;
      } else if (tongue.wants_answer()) {
        tongue.answer();
      }
    }
    ::_exit(0);
  }
  ::close(fd);
}

HangingDisk::~HangingDisk() {
  end();
  if (state_ != nullptr) ::munmap(state_, sizeof(State));
}

void HangingDisk::hang() {
  state_->hangs = true;
}

void HangingDisk::have(DiskFault fault) {
  state_->fault = fault;
}

unsigned HangingDisk::unanswered() const {
  return state_->unanswered;
}

void HangingDisk::end() {
  if (!mounted_) return;
  mounted_ = false;
  ::kill(child_, SIGKILL);
  ::waitpid(child_, nullptr, 0);
  ::umount2(folder_.c_str(), MNT_DETACH);
}

}  // namespace sluice::test
