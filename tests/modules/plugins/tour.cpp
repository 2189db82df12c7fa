// Uses what the other modules here do not: Sink::send_file from the mount's folder, a status, a failure, the
// client's address, the clock, the log. It can refuse to be created, and logs that it is retired.
#include <sluice/module.h>

#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#include <string>
#include <string_view>

namespace {

class FileBody : public sluice::Body {
 public:
  FileBody(int fd, std::uint64_t size) : fd_(fd), size_(size) {}
  ~FileBody() override { ::close(fd_); }
  sluice::Progress pump(sluice::Sink& sink) override {
    if (sink.room() == 0) return sluice::Progress::more;
    const sluice::Moved moved = sink.send_file(fd_, sent_, size_ - sent_);
    sent_ += moved.size;
    if (moved.status != sluice::Io::ok && moved.status != sluice::Io::full) return sluice::Progress::failed;
    return sent_ == size_ ? sluice::Progress::done : sluice::Progress::more;
  }

 private:
  int fd_;
  std::uint64_t size_;
  std::uint64_t sent_ = 0;
};

class Tour : public sluice::Handler {
 public:
  explicit Tour(sluice::Host& host) : host_(host) {
    if (host.number("refuse") != 0) host.reject("it was told to refuse: say refuse=off");
  }
  void handle(sluice::Exchange& exchange) override {
    const std::string_view path = exchange.request().path;
    if (path == "file") return send_file(exchange);
    if (path != "address") return exchange.fail(404);
    exchange.status(203);
    exchange.send(std::string(std::string_view(exchange.client_address())) +
                  (host_.now_ms() > 0 ? " at some time\n" : " at no time\n"));
  }
  void retire() override { host_.log(sluice::LogLevel::info, "the handler retires"); }

 private:
  void send_file(sluice::Exchange& exchange) {
    const sluice::Folder folder = host_.folder();
    const std::string name = std::string(std::string_view(folder.path)) + "file";
    const int fd = ::openat(folder.fd, name.c_str(), O_RDONLY | O_CLOEXEC);
    if (fd < 0) return exchange.fail(404);
    struct stat facts {};
    ::fstat(fd, &facts);
    const auto size = static_cast<std::uint64_t>(facts.st_size);
    exchange.stream(size, new FileBody(fd, size));
  }

  sluice::Host& host_;
};

constexpr sluice::OptionInfo kOptions[] = {
    {"refuse", sluice::OptionType::flag, 0, "off", "refuse to be created", nullptr},
};

}  // namespace

SLUICE_MODULE(Tour, .name = "tour", .version = "1.0.0", .summary = "Calls what the others leave out",
              .default_mount = "/tour/", .options = kOptions, .option_count = 1);
