// Keeps a file in the folder that it serves, and one at the path that its option gives.
#include <fcntl.h>
#include <sluice/module.h>
#include <unistd.h>

#include <string>

struct WritesFiles : sluice::Handler {
  explicit WritesFiles(sluice::Host& host) {
    const std::string path(std::string_view(host.option("file")));
    if (!path.empty()) ::close(::open(path.c_str(), O_WRONLY | O_CREAT | O_CLOEXEC, 0644));
    const int kept = ::openat(host.folder().fd, "kept", O_WRONLY | O_CREAT | O_CLOEXEC, 0644);
    if (kept < 0) host.reject("it cannot write in its folder: let its user do that");
    if (kept >= 0) ::close(kept);
  }
  void handle(sluice::Exchange& exchange) override { exchange.send("x"); }
};
constexpr sluice::OptionInfo kOptions[] = {{"file", sluice::OptionType::text, 0, "", "to write", nullptr}};

SLUICE_MODULE(WritesFiles, .name = "writes_files", .version = "1.0.0", .summary = "Writes files",
              .default_mount = "/writes_files/", .options = kOptions, .option_count = 1);
