// Closes descriptors of the server, or puts another file in their place: below /epoll its epoll, below
// /listening its listening sockets, below /events the descriptors that wake it. With "?replace", /dev/null
// takes their numbers. With "?shutdown" they are shut down, and stay open. Answers every request.
#include <fcntl.h>
#include <sluice/module.h>
#include <sys/socket.h>
#include <unistd.h>

#include <filesystem>
#include <string>
#include <string_view>
#include <system_error>
#include <vector>

namespace {

namespace fs = std::filesystem;

bool listens(int fd) {
  int on = 0;
  socklen_t size = sizeof(on);
  return ::getsockopt(fd, SOL_SOCKET, SO_ACCEPTCONN, &on, &size) == 0 && on != 0;
}

bool is_meant(int fd, std::string_view what) {
  if (what == "listening") return listens(fd);
  std::error_code error;
  const std::string target = fs::read_symlink("/proc/self/fd/" + std::to_string(fd), error);
  return (what == "epoll" && target == "anon_inode:[eventpoll]") ||
         (what == "events" && target == "anon_inode:[eventfd]");
}

void close_own(std::string_view what, std::string_view how) {
  std::vector<int> meant;
  for (const auto& entry : fs::directory_iterator("/proc/self/fd")) {
    const int fd = std::stoi(entry.path().filename());
    if (is_meant(fd, what)) meant.push_back(fd);
  }
  const int other = ::open("/dev/null", O_RDWR | O_CLOEXEC);
  for (const int fd : meant) {
    if (how == "replace") {
      ::dup3(other, fd, O_CLOEXEC);
    } else if (how == "shutdown") {
      ::shutdown(fd, SHUT_RDWR);
    } else {
      ::close(fd);
    }
  }
  ::close(other);
}

class Closer : public sluice::Handler {
 public:
  explicit Closer(sluice::Host&) {}
  void handle(sluice::Exchange& exchange) override {
    close_own(exchange.request().path, exchange.request().query);
    exchange.send("done\n");
  }
};

}  // namespace

SLUICE_MODULE(Closer, .name = "closer", .version = "1.0.0", .summary = "Closes descriptors of the server",
              .default_mount = "/closer/");
