// Tries whatever a query names, and answers with the name of the error, or "ok".
#include <arpa/inet.h>
#include <dirent.h>
#include <fcntl.h>
#include <netinet/in.h>
#include <sluice/module.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/ptrace.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/syscall.h>
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

std::string variable(const std::string& name) {
  const char* value = std::getenv(name.c_str());
  return value == nullptr ? "none" : value;
}

using Attempt = std::string (*)(const std::string& argument);
const std::map<std::string, Attempt> kAttempts = {
    {"read", [](const std::string& path) { return open_file(path, O_RDONLY); }},
    {"write", [](const std::string& path) { return open_file(path, O_WRONLY | O_CREAT); }},
    {"unlink", [](const std::string& path) { return outcome(::unlink(path.c_str())); }},
    {"chmod", [](const std::string& path) { return outcome(::chmod(path.c_str(), 0600)); }},
    {"connect", [](const std::string& port) { return use_port(port, ::connect); }},
    {"datagrams", [](const std::string& port) { return use_port(port, ::connect, SOCK_DGRAM); }},
    {"bind", [](const std::string& port) { return use_port(port, ::bind); }},
    {"unix", connect_unix},
    {"exec", run},
    {"kill", [](const std::string& pid) { return outcome(::kill(std::stoi(pid), SIGTERM)); }},
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
