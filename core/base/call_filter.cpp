#include "base/call_filter.h"

#include <fcntl.h>
#include <linux/netlink.h>
#include <linux/seccomp.h>
#include <netinet/in.h>
#include <sched.h>
#include <seccomp.h>
#include <sys/ioctl.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <unistd.h>

#include <cerrno>
#include <initializer_list>
#include <memory>
#include <string_view>

#include <linux/sockios.h>

namespace sluice {
namespace {

// Names that a machine does not have are left out. A number stands for a name that libseccomp does not know
// yet.
constexpr const char* kAllowed[] = {
    // memory
    "brk", "madvise", "mincore", "mlock", "mlock2", "mmap", "mprotect", "mremap", "msync", "munlock", "munmap",
    "membarrier", "get_mempolicy", "pkey_alloc", "pkey_free", "pkey_mprotect",
    // files
    "access", "close", "close_range", "copy_file_range", "dup", "dup2", "dup3", "faccessat", "faccessat2",
    "fadvise64", "fallocate", "fdatasync", "chdir", "fchdir", "fgetxattr", "flistxattr", "flock", "fstat",
    "fstatfs", "fsync", "ftruncate", "getcwd", "getdents", "getdents64", "getxattr", "lgetxattr", "listxattr",
    "llistxattr", "lseek", "lstat", "newfstatat", "open", "openat", "openat2", "pread64", "preadv", "preadv2",
    "pwrite64", "pwritev", "pwritev2", "read", "readahead", "readlink", "readlinkat", "readv", "sendfile",
    "splice", "stat", "statfs", "statx", "sync_file_range", "syncfs", "tee", "umask", "vmsplice", "write",
    "writev",
    // asynchronous reading
    "io_cancel", "io_destroy", "io_getevents", "io_pgetevents", "io_setup", "io_submit",
    // waiting
    "clock_nanosleep", "epoll_create", "epoll_create1", "epoll_ctl", "epoll_pwait", "epoll_pwait2",
    "epoll_wait", "eventfd", "eventfd2", "inotify_add_watch", "inotify_init", "inotify_init1",
    "inotify_rm_watch", "nanosleep", "pause", "pipe", "pipe2", "poll", "ppoll", "pselect6", "select",
    "signalfd", "signalfd4", "timerfd_create", "timerfd_gettime", "timerfd_settime",
    // sockets that are there
    "accept", "accept4", "getpeername", "getsockname", "getsockopt", "recvfrom", "recvmmsg", "recvmsg",
    "shutdown",
    // threads, and the end of processes
    "arch_prctl", "exit", "exit_group", "futex", "futex_waitv", "get_robust_list", "get_thread_area", "getcpu",
    "rseq", "sched_get_priority_max", "sched_get_priority_min", "sched_getaffinity", "sched_getattr",
    "sched_getparam", "sched_getscheduler", "sched_rr_get_interval", "sched_yield", "set_robust_list",
    "set_thread_area", "set_tid_address", "wait4", "waitid",
    // signals
    "rt_sigaction", "rt_sigpending", "rt_sigprocmask", "rt_sigreturn", "rt_sigsuspend", "rt_sigtimedwait",
    "restart_syscall", "sigaltstack",
    // clocks
    "alarm", "clock_getres", "clock_gettime", "getitimer", "gettimeofday", "setitimer", "time", "timer_create",
    "timer_delete", "timer_getoverrun", "timer_gettime", "timer_settime", "times",
    // what a process may know
    "capget", "getegid", "geteuid", "getgid", "getgroups", "getpgid", "getpgrp", "getpid", "getppid",
    "getpriority", "getrandom", "getresgid", "getresuid", "getrlimit", "getrusage", "getsid", "gettid",
    "getuid", "ioprio_get", "sysinfo", "uname",
    // giving up more
    "landlock_add_rule", "landlock_create_ruleset", "landlock_restrict_self", "seccomp"};
constexpr int kAllowedNumbers[] = {451 /* cachestat */, 454 /* futex_wake */, 455 /* futex_wait */,
                                   456 /* futex_requeue */};

// Each of these reaches into other processes or the kernel, and no library calls them by the way.
constexpr const char* kDeadly[] = {
    "ptrace",        "pidfd_getfd", "kexec_load",  "kexec_file_load", "init_module", "finit_module",
    "delete_module", "bpf",         "userfaultfd", "mount",           "umount2",     "move_mount",
    "mount_setattr", "fsopen",      "fsconfig",    "fsmount",         "fspick",      "open_tree",
    "pivot_root",    "chroot",      "swapon",      "swapoff",         "reboot",      "acct",
    "iopl",          "ioperm",      "setns"};

// A file in memory can be mapped as code after it was written.
constexpr const char* kOfCode[] = {"memfd_create"};
constexpr const char* kOfConnecting[] = {"connect"};
constexpr const char* kOfBinding[] = {"bind"};
constexpr const char* kOfListening[] = {"listen"};
constexpr const char* kOfProcesses[] = {"execve", "execveat", "fork",       "vfork",
                                        "setsid", "setpgid",  "pidfd_open", "pidfd_send_signal"};
constexpr const char* kOfFileCalls[] = {
    "chmod",     "chown",       "creat",  "fchmod",   "fchmodat",  "fchown",       "fchownat",  "fremovexattr",
    "fsetxattr", "futimesat",   "lchown", "link",     "linkat",    "lremovexattr", "lsetxattr", "mkdir",
    "mkdirat",   "removexattr", "rename", "renameat", "renameat2", "rmdir",        "setxattr",  "symlink",
    "symlinkat", "truncate",    "unlink", "unlinkat", "utime",     "utimensat",    "utimes"};
constexpr int kChangeMode = 452;  // fchmodat2

// The first number that no system call had when this was written, and how many are answered as unknown.
constexpr int kUnknownFrom = 470;
constexpr int kUnknownCount = 64;

constexpr int kFcntlAllowed[] = {
    F_DUPFD,  F_DUPFD_CLOEXEC, F_GETFD,     F_SETFD,      F_GETFL,      F_SETFL,      F_GETLK,     F_SETLK,
    F_SETLKW, F_OFD_GETLK,     F_OFD_SETLK, F_OFD_SETLKW, F_GETPIPE_SZ, F_SETPIPE_SZ, F_ADD_SEALS, F_GET_SEALS};

constexpr unsigned kPrctlAllowed[] = {PR_SET_NAME,         PR_GET_NAME,     PR_SET_PDEATHSIG,
                                      PR_GET_PDEATHSIG,    PR_GET_DUMPABLE, PR_SET_TIMERSLACK,
                                      PR_GET_TIMERSLACK,   PR_CAPBSET_READ, PR_SET_NO_NEW_PRIVS,
                                      PR_GET_NO_NEW_PRIVS, PR_GET_SECCOMP,  PR_SET_VMA};
constexpr unsigned long kIoctlAllowed[] = {TCGETS,  TIOCGWINSZ, FIONREAD, FIONBIO,   FIOASYNC,
                                           FIOCLEX, FIONCLEX,   SIOCOUTQ, SIOCATMARK};
// Names and addresses of interfaces: fe80::1%eth0 needs them.
constexpr unsigned long kIoctlOfConnecting[] = {SIOCGIFINDEX, SIOCGIFNAME, SIOCGIFADDR, SIOCGIFFLAGS};
// Below SOL_SOCKET. Filters of packets, which are programs that the kernel runs, are not among them.
constexpr int kSocketOptions[] = {SO_REUSEADDR,
                                  SO_DONTROUTE,
                                  SO_BROADCAST,
                                  SO_SNDBUF,
                                  SO_RCVBUF,
                                  SO_KEEPALIVE,
                                  SO_OOBINLINE,
                                  SO_PRIORITY,
                                  SO_LINGER,
                                  SO_REUSEPORT,
                                  SO_PASSCRED,
                                  SO_RCVLOWAT,
                                  SO_RCVTIMEO,
                                  SO_SNDTIMEO,
                                  SO_TIMESTAMP,
                                  SO_PEEK_OFF,
                                  SO_BUSY_POLL,
                                  SO_TIMESTAMPNS,
                                  SO_ZEROCOPY,
                                  SO_INCOMING_CPU,
                                  SO_MAX_PACING_RATE,
                                  SO_BINDTODEVICE,
                                  SO_RXQ_OVFL,
                                  SO_TIMESTAMPING,
                                  SO_TXTIME,
                                  SO_NO_CHECK,
                                  SO_PREFER_BUSY_POLL,
                                  SO_BUSY_POLL_BUDGET,
                                  SO_PASSSEC,
                                  76 /* SO_PASSPIDFD */,
                                  83 /* SO_PASSRIGHTS */};
constexpr int kOptionLevels[] = {IPPROTO_IP,   IPPROTO_TCP,           IPPROTO_UDP,
                                 IPPROTO_IPV6, 270 /* SOL_NETLINK */, 282 /* SOL_TLS */,
                                 284 /* SOL_MPTCP */};
// Of sockets that a module may connect or listen with. Landlock knows rules for TCP alone, and others, such as
// SCTP, connect without connect(2).
constexpr int kStreamProtocols[] = {0, IPPROTO_TCP};
constexpr std::uint64_t kNewNamespaces =
    CLONE_NEWCGROUP | CLONE_NEWIPC | CLONE_NEWNET | CLONE_NEWNS | CLONE_NEWPID | CLONE_NEWUSER | CLONE_NEWUTS;
constexpr std::uint64_t kSocketTypes = 0xf;
constexpr std::uint64_t kWholeInt = 0xffff'ffff;  // the kernel does not look at the register's other half

// A condition for the argument of this index.
scmp_arg_cmp is(unsigned index, scmp_datum_t value) {
  return {index, SCMP_CMP_EQ, value, 0};
}
scmp_arg_cmp masked(unsigned index, scmp_datum_t mask, scmp_datum_t value) {
  return {index, SCMP_CMP_MASKED_EQ, mask, value};
}
scmp_arg_cmp is_int(unsigned index, int value) {
  return masked(index, kWholeInt, static_cast<unsigned>(value));
}

class CallFilter {
 public:
  explicit CallFilter(const CallPermissions& permissions)
      : permissions_(permissions), context_(::seccomp_init(SCMP_ACT_ERRNO(EPERM)), ::seccomp_release) {}

  // 0, or the number of the first error.
  int load() {
    if (context_ == nullptr) return ENOMEM;
    set(SCMP_FLTATR_ACT_BADARCH, SCMP_ACT_KILL_PROCESS);
    set(SCMP_FLTATR_CTL_TSYNC, 1);
    // Older kernels would switch the processor's store bypass off for filtered processes, which costs every
    // call. The oldest do not know how to leave it on.
    prefer(SCMP_FLTATR_CTL_SSB, 1);
    // A binary tree: each call costs a dozen comparisons.
    prefer(SCMP_FLTATR_CTL_OPTIMIZE, 2);
    for (const char* name : kAllowed) add(SCMP_ACT_ALLOW, name);
    for (const int number : kAllowedNumbers) add(SCMP_ACT_ALLOW, number);
    for (int i = 0; i < kUnknownCount; ++i) add(SCMP_ACT_ERRNO(ENOSYS), kUnknownFrom + i);
    add_own();
    add_permitted();
    add_deadly();
    if (error_ == 0) error_ = -::seccomp_load(context_.get());
    return error_;
  }

 private:
  static constexpr std::uint32_t kRefused = SCMP_ACT_ERRNO(EACCES);

  void set(scmp_filter_attr attribute, std::uint32_t value) {
    note(::seccomp_attr_set(context_.get(), attribute, value));
  }
  void prefer(scmp_filter_attr attribute, std::uint32_t value) {
    (void)::seccomp_attr_set(context_.get(), attribute, value);
  }

  template <typename... Conditions>
  void add(std::uint32_t action, int number, Conditions... conditions) {
    note(::seccomp_rule_add(context_.get(), action, number, static_cast<unsigned>(sizeof...(conditions)),
                            conditions...));
  }
  template <typename... Conditions>
  void add(std::uint32_t action, const char* name, Conditions... conditions) {
    const int number = ::seccomp_syscall_resolve_name(name);
    if (number != __NR_SCMP_ERROR) add(action, number, conditions...);
  }
  template <std::size_t kCount>
  void gate(bool open, const char* const (&names)[kCount]) {
    for (const char* name : names) add(open ? SCMP_ACT_ALLOW : kRefused, name);
  }

  void note(int result) {
    if (result < 0 && error_ == 0) error_ = -result;
  }

  // Calls that a process may make about itself alone.
  void add_own() {
    const auto self = static_cast<scmp_datum_t>(::getpid());
    const scmp_arg_cmp of_caller = is(0, 0);
    for (const char* name :
         {"prlimit64", "sched_setattr", "sched_setparam", "sched_setscheduler", "sched_setaffinity"})
      add(SCMP_ACT_ALLOW, name, of_caller);
    add(SCMP_ACT_ALLOW, "prlimit64", is(0, self));
    add(SCMP_ACT_ALLOW, "setrlimit");
    add(SCMP_ACT_ALLOW, "setpriority", is(0, PRIO_PROCESS), is(1, 0));
    add(SCMP_ACT_ALLOW, "ioprio_set", is(0, 1), is(1, 0));
    // An owner of a descriptor gets signals.
    for (const int command : kFcntlAllowed)
      add(SCMP_ACT_ALLOW, "fcntl", is(1, static_cast<scmp_datum_t>(command)));
    // TCP Fast Open connects, and needs no connect(2).
    add(SCMP_ACT_ALLOW, "sendto", masked(3, MSG_FASTOPEN, 0));
    add(SCMP_ACT_ALLOW, "sendmsg", masked(2, MSG_FASTOPEN, 0));
    add(SCMP_ACT_ALLOW, "sendmmsg", masked(3, MSG_FASTOPEN, 0));
    // Datagrams go to any Unix socket that takes some.
    for (const scmp_datum_t type : {scmp_datum_t{SOCK_STREAM}, scmp_datum_t{SOCK_SEQPACKET}})
      add(SCMP_ACT_ALLOW, "socketpair", is(0, AF_UNIX), masked(1, kSocketTypes, type));
    for (const unsigned operation : kPrctlAllowed) add(SCMP_ACT_ALLOW, "prctl", is(0, operation));
    for (const unsigned long request : kIoctlAllowed) add(SCMP_ACT_ALLOW, "ioctl", is(1, request));
    for (const int level : kOptionLevels) add(SCMP_ACT_ALLOW, "setsockopt", is_int(1, level));
    for (const int option : kSocketOptions)
      add(SCMP_ACT_ALLOW, "setsockopt", is_int(1, SOL_SOCKET), is_int(2, option));
    // Its arguments lie in memory, which a filter cannot read. Libraries then use clone(2).
    add(SCMP_ACT_ERRNO(ENOSYS), "clone3");
    if (permissions_.processes || kSanitized) {
      for (const char* name : {"kill", "tgkill", "tkill", "rt_sigqueueinfo", "rt_tgsigqueueinfo"})
        add(SCMP_ACT_ALLOW, name);
      add(SCMP_ACT_ALLOW, "clone", masked(0, kNewNamespaces, 0));
      return;
    }
    for (const char* name : {"kill", "tgkill", "rt_sigqueueinfo", "rt_tgsigqueueinfo"})
      add(SCMP_ACT_ALLOW, name, is(0, self));
    add(SCMP_ACT_ALLOW, "clone", masked(0, CLONE_THREAD, CLONE_THREAD));
    add(kRefused, "clone", masked(0, kNewNamespaces | CLONE_THREAD, 0));  // fork(3)
  }

  void add_permitted() {
    const CallPermissions& may = permissions_;
    gate(may.code, kOfCode);
    gate(may.connect || may.unix_sockets, kOfConnecting);
    gate(may.connect || may.listen || may.unix_sockets, kOfBinding);
    gate(may.listen || may.unix_sockets, kOfListening);
    gate(may.processes, kOfProcesses);
    gate(may.files, kOfFileCalls);
    add(may.files ? SCMP_ACT_ALLOW : kRefused, kChangeMode);
    for (const scmp_datum_t kind : {scmp_datum_t{S_IFREG}, scmp_datum_t{S_IFIFO}, scmp_datum_t{0}}) {
      add(may.files ? SCMP_ACT_ALLOW : kRefused, "mknod", masked(1, S_IFMT, kind));
      add(may.files ? SCMP_ACT_ALLOW : kRefused, "mknodat", masked(2, S_IFMT, kind));
    }
    add_sockets();
  }

  void add_sockets() {
    const CallPermissions& may = permissions_;
    add(may.unix_sockets ? SCMP_ACT_ALLOW : kRefused, "socket", is(0, AF_UNIX));
    for (const scmp_datum_t family : {scmp_datum_t{AF_INET}, scmp_datum_t{AF_INET6}}) {
      if (!may.connect && !may.listen) {
        add(kRefused, "socket", is(0, family));
        continue;
      }
      for (const int protocol : kStreamProtocols)
        add(SCMP_ACT_ALLOW, "socket", is(0, family), masked(1, kSocketTypes, SOCK_STREAM), is_int(2, protocol));
      // Landlock's rules for TCP may not hold for it, and then it connects and listens at will.
      add(may.connect && may.listen ? SCMP_ACT_ALLOW : kRefused, "socket", is(0, family),
          masked(1, kSocketTypes, SOCK_STREAM), is_int(2, IPPROTO_MPTCP));
      add(may.connect ? SCMP_ACT_ALLOW : kRefused, "socket", is(0, family),
          masked(1, kSocketTypes, SOCK_DGRAM));
    }
    for (const unsigned long request : kIoctlOfConnecting)
      add(may.connect ? SCMP_ACT_ALLOW : kRefused, "ioctl", is(1, request));
    // getaddrinfo(3) asks which addresses this machine has.
    add(may.connect ? SCMP_ACT_ALLOW : kRefused, "socket", is(0, AF_NETLINK), is(2, NETLINK_ROUTE));
  }

  void add_deadly() {
    for (const char* name : kDeadly) {
      // LeakSanitizer stops the threads of its own process by ptrace(2), and asks to be dumpable for it.
      const bool is_spared = kSanitized && std::string_view(name) == "ptrace";
      add(is_spared ? SCMP_ACT_ALLOW : SCMP_ACT_KILL_PROCESS, name);
    }
    if (kSanitized) add(SCMP_ACT_ALLOW, "prctl", is(0, PR_SET_DUMPABLE));
    if (kSanitized) add(SCMP_ACT_ALLOW, "prctl", is(0, PR_SET_PTRACER));
  }

#if defined(__SANITIZE_ADDRESS__) || defined(__SANITIZE_THREAD__)
  static constexpr bool kSanitized = true;
#else
  static constexpr bool kSanitized = false;
#endif

  const CallPermissions permissions_;
  std::unique_ptr<void, void (*)(scmp_filter_ctx)> context_;
  int error_ = 0;
};

}  // namespace

bool calls_can_be_filtered() {
  const std::uint32_t action = SECCOMP_RET_KILL_PROCESS;
  return ::syscall(SYS_seccomp, SECCOMP_GET_ACTION_AVAIL, 0, &action) == 0;
}

Result<void> filter_calls(const CallPermissions& permissions) {
  const int error = CallFilter(permissions).load();
  if (error != 0) return fail_errno("system calls cannot be filtered", error);
  return {};
}

}  // namespace sluice
