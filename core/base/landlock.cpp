#include "base/landlock.h"

#include <fcntl.h>
#include <sys/syscall.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <iterator>

namespace sluice {
namespace {

// The kernel's interface. Its header is often older than the kernel that a server runs on.
struct Ruleset {
  std::uint64_t files;
  std::uint64_t network;
  std::uint64_t scopes;
};
struct __attribute__((packed)) BeneathRule {
  std::uint64_t allowed;
  std::int32_t folder;
};
constexpr unsigned kBeneath = 1;
constexpr unsigned kAskVersion = 1;

constexpr std::uint64_t kExecute = 1U << 0U;
constexpr std::uint64_t kWriteFile = 1U << 1U;
constexpr std::uint64_t kReadFile = 1U << 2U;
constexpr std::uint64_t kReadFolder = 1U << 3U;
constexpr std::uint64_t kMakeDevices = (1U << 6U) | (1U << 11U);
constexpr std::uint64_t kTruncate = 1U << 14U;
constexpr std::uint64_t kDeviceControl = 1U << 15U;
constexpr std::uint64_t kFileRights = kExecute | kWriteFile | kReadFile | kTruncate | kDeviceControl;
// All that versions 1, 2, 3 and so on know.
constexpr std::uint64_t kKnown[] = {(1U << 13U) - 1, (1U << 14U) - 1, (1U << 15U) - 1, (1U << 15U) - 1,
                                    (1U << 16U) - 1};
constexpr std::uint64_t kBindTcp = 1U << 0U;
constexpr std::uint64_t kConnectTcp = 1U << 1U;
constexpr std::uint64_t kAbstractSockets = 1U << 0U;
constexpr std::uint64_t kSignals = 1U << 1U;

std::uint64_t rights_of(LandlockRules::Access access) {
  switch (access) {
    case LandlockRules::Access::read:
      return kReadFile | kReadFolder;
    case LandlockRules::Access::write:
      return ~(kExecute | kMakeDevices | kDeviceControl);
    case LandlockRules::Access::use:
      return kReadFile | kWriteFile | kTruncate;
    case LandlockRules::Access::run:
      return kReadFile | kReadFolder | kExecute;
  }
  return 0;
}

// The path of an open file, for people.
std::string name_of(int fd) {
  char path[4096];
  const std::string own = "/proc/self/fd/" + std::to_string(fd);
  const ssize_t size = ::readlink(own.c_str(), path, sizeof(path));
  return size > 0 ? std::string(path, static_cast<std::size_t>(size)) : "descriptor " + std::to_string(fd);
}

}  // namespace

int landlock_version() {
  const long version = ::syscall(SYS_landlock_create_ruleset, nullptr, 0, kAskVersion);
  return version < 0 ? 0 : static_cast<int>(version);
}

Result<LandlockRules> LandlockRules::begin(int version, const Free& free) {
  Ruleset ruleset{};
  ruleset.files = kKnown[std::min<std::size_t>(static_cast<std::size_t>(version), std::size(kKnown)) - 1];
  std::size_t size = sizeof(ruleset.files);
  if (version >= kLandlockTcp) {
    size += sizeof(ruleset.network);
    ruleset.network = (free.bind ? 0 : kBindTcp) | (free.connect ? 0 : kConnectTcp);
  }
  if (version >= kLandlockScopes) {
    size += sizeof(ruleset.scopes);
    ruleset.scopes = kSignals | (free.abstract_sockets ? 0 : kAbstractSockets);
  }
  UniqueFd fd(static_cast<int>(::syscall(SYS_landlock_create_ruleset, &ruleset, size, 0)));
  if (!fd) return fail_errno("Landlock refuses its rules", errno);
  return LandlockRules(std::move(fd), ruleset.files);
}

// Does not ask for the kind of file, because a file system that does not answer would hold the process up.
Result<void> LandlockRules::allow(int fd, Access access) {
  for (const std::uint64_t kind : {~std::uint64_t{0}, kFileRights}) {
    const BeneathRule rule{rights_of(access) & handled_ & kind, fd};
    if (::syscall(SYS_landlock_add_rule, fd_.get(), kBeneath, &rule, 0) == 0) return {};
    if (errno != EINVAL) break;  // else rights of folders were meant for a file
  }
  const int error = errno;
  if (error == EBADFD) return {};  // it is in no folder, as a pipe, and the kernel lets such files be used
  return fail_errno("Landlock refuses a rule for " + name_of(fd), error);
}

Result<void> LandlockRules::allow(const std::string& path, Access access) {
  const UniqueFd fd(::open(path.c_str(), O_PATH | O_CLOEXEC));
  return fd ? allow(fd.get(), access) : Result<void>();
}

Result<void> LandlockRules::enforce() const {
  if (::syscall(SYS_landlock_restrict_self, fd_.get(), 0) != 0)
    return fail_errno("Landlock cannot be put in force", errno);
  return {};
}

}  // namespace sluice
