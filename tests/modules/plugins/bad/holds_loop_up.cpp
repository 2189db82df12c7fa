// Sleeps or computes on the loop, as its option says. If the option is a path, it waits for the first page of
// that file, which is read from the disk each time.
#include <fcntl.h>
#include <sluice/module.h>
#include <sys/mman.h>
#include <unistd.h>

#include <chrono>
#include <ctime>
#include <string>
#include <thread>

struct Bad : sluice::Handler {
  explicit Bad(sluice::Host& host) : how_(host.option("how")) {}
  void handle(sluice::Exchange& exchange) override {
    const std::clock_t until = std::clock() + CLOCKS_PER_SEC * 15 / 100;  // in processor time
    if (how_ == "sleep") std::this_thread::sleep_for(std::chrono::milliseconds(20));
    if (how_ == "nap") std::this_thread::sleep_for(std::chrono::microseconds(500));
    while (how_ == "compute" && std::clock() < until) ++turns_;
    if (how_.starts_with('/')) wait_for_page();
    exchange.send("x");
  }
  void wait_for_page() const {
    constexpr std::size_t kSize = 1;
    const int fd = ::open(how_.c_str(), O_RDONLY | O_CLOEXEC);
    ::posix_fadvise(fd, 0, 0, POSIX_FADV_DONTNEED);
    void* page = ::mmap(nullptr, kSize, PROT_READ, MAP_SHARED, fd, 0);
    ::close(fd);
    static_cast<void>(*static_cast<volatile char*>(page));
    std::this_thread::sleep_for(std::chrono::milliseconds(20));
    ::munmap(page, kSize);
  }
  std::string how_;
  std::uint64_t turns_ = 0;
};
constexpr sluice::OptionInfo kOptions[] = {
    {"how", sluice::OptionType::text, 0, "sleep", "to hold it up", nullptr}};

SLUICE_MODULE(Bad, .name = "holds_loop_up", .version = "1.0.0", .summary = "Holds the loop up",
              .default_mount = "/holds_loop_up/", .options = kOptions, .option_count = 1);
