#include "base/process_rights.h"

#include <dirent.h>
#include <fcntl.h>
#include <linux/capability.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/syscall.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <cstdlib>
#include <cstring>
#include <memory>
#include <string>

#include "base/unique_fd.h"

namespace sluice {
namespace {

// Of <linux/prctl.h>, which older systems have without them.
constexpr int kSetWriteOrExecute = 65;
constexpr int kGetWriteOrExecute = 66;
constexpr unsigned long kRefuseExecGain = 1;

constexpr int kCapabilitiesMax = 63;           // the sets have 64 bits
constexpr long kCloseRange = 436;              // close_range(2), since Linux 5.9
constexpr rlim_t kDescriptorsMax = 1U << 20U;  // what the kernel allows, unless it is told otherwise

Result<void> limit(decltype(RLIMIT_CPU) resource, std::uint64_t value, const char* what) {
  rlimit present{};
  if (::getrlimit(resource, &present) != 0) return fail_errno(what, errno);
  present.rlim_max = std::min<rlim_t>(present.rlim_max, value);
  present.rlim_cur = std::min<rlim_t>(present.rlim_cur, present.rlim_max);
  if (::setrlimit(resource, &present) != 0) return fail_errno(what, errno);
  return {};
}

std::vector<std::string>& names_of_removed() {
  static std::vector<std::string> names;
  return names;
}

bool close_by_ranges(const std::vector<int>& kept) {
  unsigned from = STDERR_FILENO + 1;
  bool closed = true;
  for (const int fd : kept) {
    const auto next = static_cast<unsigned>(fd);
    if (next > from) closed = closed && ::syscall(kCloseRange, from, next - 1, 0) == 0;
    from = std::max(from, next + 1);
  }
  return closed && ::syscall(kCloseRange, from, ~0U, 0) == 0;
}

// Closes what /proc lists, for kernels without close_range(2). False if there is no /proc.
bool close_listed(const std::vector<int>& kept) {
  const std::unique_ptr<DIR, int (*)(DIR*)> folder(::opendir("/proc/self/fd"), ::closedir);
  if (folder == nullptr) return false;
  std::vector<int> unwanted;
  while (const dirent* entry = ::readdir(folder.get())) {
    const int fd = std::atoi(entry->d_name);  // 0 for "." and ".."
    if (fd > STDERR_FILENO && fd != ::dirfd(folder.get()) && !std::binary_search(kept.begin(), kept.end(), fd))
      unwanted.push_back(fd);
  }
  for (const int fd : unwanted) ::close(fd);
  return true;
}

// Tries all numbers below the hard limit, which may be a million: some may be above the soft one.
void close_each(const std::vector<int>& kept) {
  rlimit present{};
  const rlim_t limit = ::getrlimit(RLIMIT_NOFILE, &present) == 0 ? present.rlim_max : kDescriptorsMax;
  const int end = static_cast<int>(std::min<rlim_t>(limit, kDescriptorsMax));
  for (int fd = STDERR_FILENO + 1; fd < end; ++fd) {
    if (!std::binary_search(kept.begin(), kept.end(), fd)) ::close(fd);
  }
}

}  // namespace

void empty_bounding_set() {
  for (unsigned long capability = 0; capability <= kCapabilitiesMax; ++capability) {
    // Fails at the first number that the kernel does not know, or without the right to do it.
    if (::prctl(PR_CAPBSET_DROP, capability, 0, 0, 0) != 0) return;
  }
}

Result<void> give_up_privileges() {
  if (::prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0) != 0)
    return fail_errno("a process cannot give up the right to gain rights", errno);
  ::prctl(PR_CAP_AMBIENT, PR_CAP_AMBIENT_CLEAR_ALL, 0, 0, 0);
  __user_cap_header_struct header{_LINUX_CAPABILITY_VERSION_3, 0};
  const __user_cap_data_struct none[_LINUX_CAPABILITY_U32S_3] = {};
  if (::syscall(SYS_capset, &header, none) == 0) return {};
  const int error = errno;
  // A filter of calls may refuse the call to a process that has none anyway.
  __user_cap_data_struct had[_LINUX_CAPABILITY_U32S_3] = {};
  if (::syscall(SYS_capget, &header, had) == 0 && std::memcmp(had, none, sizeof(had)) == 0) return {};
  return fail_errno("a process cannot give up its capabilities", error);
}

bool privileges_can_be_given_up() {
  return ::prctl(PR_GET_NO_NEW_PRIVS, 0, 0, 0, 0) >= 0;
}

Result<void> hide_from_same_user() {
  if (::prctl(PR_SET_DUMPABLE, 0, 0, 0, 0) != 0)
    return fail_errno("a process cannot be hidden from its user", errno);
  return limit(RLIMIT_CORE, 0, "core dumps cannot be limited");
}

bool forbid_new_code() {
  return ::prctl(kSetWriteOrExecute, kRefuseExecGain, 0, 0, 0) == 0;
}

bool new_code_can_be_forbidden() {
  return ::prctl(kGetWriteOrExecute, 0, 0, 0, 0) >= 0;
}

Result<void> limit_memory(std::uint64_t bytes) {
  return limit(RLIMIT_DATA, bytes, "memory cannot be limited");
}

Result<void> limit_processor_time(std::uint64_t seconds) {
  return limit(RLIMIT_CPU, seconds, "processor time cannot be limited");
}

const std::vector<std::string>& removed_variables() {
  return names_of_removed();
}

void keep_variables(const std::function<bool(std::string_view name)>& is_wanted) {
  char** to = environ;
  if (to == nullptr) return;
  for (char** from = environ; *from != nullptr; ++from) {
    const std::string_view entry(*from);
    if (is_wanted(entry.substr(0, entry.find('=')))) {
      *to++ = *from;
    } else {
      names_of_removed().emplace_back(entry.substr(0, entry.find('=')));
      ::explicit_bzero(*from, entry.size());
    }
  }
  *to = nullptr;
}

void keep_descriptors(std::vector<int> kept) {
  {
    const UniqueFd nothing(::open("/dev/null", O_RDONLY | O_CLOEXEC));
    if (nothing) ::dup2(nothing.get(), STDIN_FILENO);
  }
  std::erase_if(kept, [](int fd) { return fd <= STDERR_FILENO; });
  std::sort(kept.begin(), kept.end());
  if (!close_by_ranges(kept) && !close_listed(kept)) close_each(kept);
}

}  // namespace sluice
