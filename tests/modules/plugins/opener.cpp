// Opens a file when it is made, and refuses to be made without it.
#include <fcntl.h>
#include <sluice/module.h>
#include <unistd.h>

#include <stdexcept>
#include <string>

namespace {

constexpr sluice::OptionInfo kOptions[] = {{.name = "file", .help = "What it opens"}};

class Opener : public sluice::Handler {
 public:
  explicit Opener(sluice::Host& host) {
    const std::string path(std::string_view(host.option("file")));
    const int fd = ::open(path.c_str(), O_RDONLY | O_CLOEXEC);
    if (fd < 0) throw std::runtime_error("it cannot open " + path);
    ::close(fd);
  }
  void handle(sluice::Exchange& exchange) override { exchange.send("opened\n"); }
};

}  // namespace

SLUICE_MODULE(Opener, .name = "opener", .version = "1.0.0", .summary = "Opens a file", .options = kOptions,
              .option_count = 1);
