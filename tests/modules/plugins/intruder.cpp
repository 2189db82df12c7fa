// Tries whatever a query names, and answers with the name of the error, or "ok".
#include <arpa/inet.h>
#include <dirent.h>
#include <fcntl.h>
#include <linux/filter.h>
#include <netinet/in.h>
#include <sluice/module.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/ptrace.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/uio.h>
#include <sys/un.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cerrno>
#include <csignal>
#include <cstdint>
#include <cstdlib>
#include <cstring>
#include <fstream>
#include <iterator>
#include <map>
#include <string>

namespace {

std::string outcome(long result) {
  return result >= 0 ? "ok" : ::strerrorname_np(errno);
}

std::string open_file(const std::string& path, int flags) {
  const int fd = ::open(path.c_str(), flags | O_CLOEXEC, 0644);
  const std::string text = outcome(fd);
  if (fd >= 0) ::close(fd);
  return text;
}

// Makes a socket, and then connects or binds it.
std::string use_socket(const sockaddr* address, socklen_t size, int (*use)(int, const sockaddr*, socklen_t),
                       int type = SOCK_STREAM) {
  const int fd = ::socket(address->sa_family, type | SOCK_CLOEXEC, 0);
  if (fd < 0) return "socket " + outcome(fd);
  const std::string text = outcome(use(fd, address, size));
  ::close(fd);
  return text;
}

std::string use_port(const std::string& port, int (*use)(int, const sockaddr*, socklen_t),
                     int type = SOCK_STREAM) {
  sockaddr_in address{};
  address.sin_family = AF_INET;
  address.sin_port = htons(static_cast<std::uint16_t>(std::stoi(port)));
  address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
  return use_socket(reinterpret_cast<const sockaddr*>(&address), sizeof(address), use, type);
}

std::string connect_unix(const std::string& path) {
  sockaddr_un address{};
  address.sun_family = AF_UNIX;
  std::memcpy(address.sun_path, path.data(), path.size());
  return use_socket(reinterpret_cast<const sockaddr*>(&address), sizeof(address), ::connect);
}

std::string run(const std::string& program) {
  const pid_t child = ::fork();
  if (child < 0) return "fork " + outcome(child);
  if (child == 0) {
    ::execl(program.c_str(), program.c_str(), nullptr);
    ::_exit(100);
  }
  int status = 0;
  ::waitpid(child, &status, 0);
  return std::to_string(WEXITSTATUS(status));
}

std::string fork_alone(const std::string&) {
  const pid_t child = ::fork();
  if (child == 0) ::_exit(0);
  const std::string text = outcome(child);
  if (child > 0) ::waitpid(child, nullptr, 0);
  return text;
}

std::string stream_of(const std::string& protocol) {
  const int fd = ::socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, std::stoi(protocol));
  const std::string text = outcome(fd);
  if (fd >= 0) ::close(fd);
  return text;
}

// Of an end of a pair. The kernel looks at the lower half of a level alone.
std::string set_option(long level, int option, const void* value, socklen_t size) {
  int pair[2];
  if (::socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, pair) != 0) return "socketpair " + outcome(-1);
  const std::string text = outcome(::syscall(SYS_setsockopt, pair[0], level, option, value, size));
  for (const int fd : pair) ::close(fd);
  return text;
}

// Gives the kernel a program that looks at packets.
std::string filter_packets(const std::string& level) {
  sock_filter take_all = BPF_STMT(BPF_RET | BPF_K, 0xffff);
  const sock_fprog program{1, &take_all};
  const long wide = level == "wide" ? 1L << 32 : 0;
  return set_option(wide | SOL_SOCKET, SO_ATTACH_FILTER, &program, sizeof(program));
}

std::string descriptors(const std::string&) {
  std::string text;
  DIR* folder = ::opendir("/proc/self/fd");
  if (folder == nullptr) return outcome(-1);
  while (const dirent* entry = ::readdir(folder)) {
    char target[256];
    const std::string link = std::string("/proc/self/fd/") + entry->d_name;
    const ssize_t size = ::readlink(link.c_str(), target, sizeof(target));
    if (size > 0) text += std::string(target, static_cast<std::size_t>(size)) + "\n";
  }
  ::closedir(folder);
  return text;
}

std::string read_all(const std::string& path) {
  std::ifstream file(path);
  return {std::istreambuf_iterator<char>(file), {}};
}

std::string make_code(const std::string&) {
  void* memory = ::mmap(nullptr, 4096, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
  const std::string text = outcome(::mprotect(memory, 4096, PROT_READ | PROT_EXEC));
  ::munmap(memory, 4096);
  return text;
}

// Writes a file in memory, and maps it as code.
std::string code_in_memory(const std::string&) {
  const int fd = ::memfd_create("code", MFD_CLOEXEC);
  if (fd < 0) return outcome(fd);
  std::string text = outcome(::ftruncate(fd, 4096));
  void* memory = ::mmap(nullptr, 4096, PROT_READ | PROT_EXEC, MAP_PRIVATE, fd, 0);
  if (memory == MAP_FAILED) text = outcome(-1);
  if (memory != MAP_FAILED) ::munmap(memory, 4096);
  ::close(fd);
  return text;
}

// By TCP Fast Open, data needs no connect(2).
std::string open_fast(const std::string& port) {
  return use_port(port, [](int fd, const sockaddr* address, socklen_t size) {
    return static_cast<int>(::sendto(fd, "x", 1, MSG_FASTOPEN | MSG_NOSIGNAL, address, size));
  });
}

std::string make_pair(const std::string& type) {
  int pair[2];
  const int made =
      ::socketpair(AF_UNIX, (type == "datagrams" ? SOCK_DGRAM : SOCK_STREAM) | SOCK_CLOEXEC, 0, pair);
  const std::string text = outcome(made);
  if (made != 0) return text;
  for (const int fd : pair) ::close(fd);
  return text;
}

// The owner of a descriptor gets signals for it.
std::string own(const std::string& pid) {
  int ends[2];
  if (::pipe2(ends, O_CLOEXEC) != 0) return outcome(-1);
  const std::string text = outcome(::fcntl(ends[0], F_SETOWN, std::stoi(pid)));
  for (const int fd : ends) ::close(fd);
  return text;
}

// Reads the first bytes of this module's own code, where a process that was forked from the same has them, too.
std::string read_memory(const std::string& pid) {
  char byte = 0;
  iovec here{&byte, 1};
  iovec there{reinterpret_cast<void*>(&::getenv), 1};
  return outcome(::process_vm_readv(std::stoi(pid), &here, 1, &there, 1, 0));
}

std::string variable(const std::string& name) {
  const char* value = name.empty() ? std::getenv("INTRUDERS_OWN") : std::getenv(name.c_str());
  return value == nullptr ? "none" : value;
}

using Attempt = std::string (*)(const std::string& argument);
const std::map<std::string, Attempt> kAttempts = {
    {"read", [](const std::string& path) { return open_file(path, O_RDONLY); }},
    {"write", [](const std::string& path) { return open_file(path, O_WRONLY | O_CREAT); }},
    {"unlink", [](const std::string& path) { return outcome(::unlink(path.c_str())); }},
    {"fifo", [](const std::string& path) { return outcome(::mkfifo(path.c_str(), 0600)); }},
    {"device", [](const std::string& path) { return outcome(::mknod(path.c_str(), S_IFCHR | 0600, 0x103)); }},
    {"chmod", [](const std::string& path) { return outcome(::chmod(path.c_str(), 0600)); }},
    {"connect", [](const std::string& port) { return use_port(port, ::connect); }},
    {"datagrams", [](const std::string& port) { return use_port(port, ::connect, SOCK_DGRAM); }},
    {"bind", [](const std::string& port) { return use_port(port, ::bind); }},
    {"unix", connect_unix},
    {"fast", open_fast},
    {"pair", make_pair},
    {"own", own},
    {"memory", read_memory},
    {"exec", run},
    {"fork", fork_alone},
    {"protocol", stream_of},
    {"filter", filter_packets},
    {"option",
     [](const std::string&) {
       const int bytes = 4096;
       return set_option(SOL_SOCKET, SO_RCVBUF, &bytes, sizeof(bytes));
     }},
    {"kill", [](const std::string& pid) { return outcome(::kill(std::stoi(pid), SIGCONT)); }},
    {"ptrace",
     [](const std::string& pid) { return outcome(::ptrace(PTRACE_SEIZE, std::stoi(pid), nullptr, nullptr)); }},
    {"mount", [](const std::string& path) { return outcome(::syscall(SYS_umount2, path.c_str(), 0)); }},
    {"show", [](const std::string&) { return outcome(::prctl(PR_SET_DUMPABLE, 1, 0, 0, 0)); }},
    {"rare", [](const std::string&) { return outcome(::syscall(SYS_personality, 0)); }},
    {"newest", [](const std::string&) { return outcome(::syscall(500)); }},
    {"limit", [](const std::string&) { return read_all("/proc/self/limits"); }},
    {"status", [](const std::string&) { return read_all("/proc/self/status"); }},
    {"descriptors", descriptors},
    {"code", make_code},
    {"memfd", code_in_memory},
    {"variable", variable},
};

class Intruder : public sluice::Handler {
 public:
  explicit Intruder(sluice::Host&) {}
  void handle(sluice::Exchange& exchange) override {
    const sluice::Request& request = exchange.request();
    const auto attempt = kAttempts.find(std::string(std::string_view(request.path)));
    exchange.send(attempt == kAttempts.end() ? "unknown"
                                             : attempt->second(std::string(std::string_view(request.query))));
  }
};

}  // namespace

SLUICE_MODULE(Intruder, .name = "intruder", .version = "1.0.0", .summary = "Tries what it should not do",
              .default_mount = "/intruder/");
