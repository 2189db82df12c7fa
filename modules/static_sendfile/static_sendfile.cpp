// Serves the files of a folder: small ones from memory, larger ones by sendfile(2) from the page cache. A
// file that is not in the page cache is read ahead while its answer waits; the loop never waits.
#include <sluice/module.h>

#include "common/serving/file_handler.h"
#include "static_sendfile/sendfile_body.h"

namespace {

using sluice::files::FileRef;

class StaticSendfile final : public sluice::files::FileHandler {
 public:
  class PerWorker final : public sluice::Shared {
   public:
    explicit PerWorker(sluice::Host& host) : parts(host), cache(host) {}
    void retire() override {
      cache.retire();
      parts.reads.retire();
    }

    sluice::SendfileParts parts;
    sluice::files::ListingStore listings;
    sluice::files::FileCache cache;  // the last member ends first: the others hold its files
  };

  explicit StaticSendfile(sluice::Host& host) : StaticSendfile(host, static_cast<PerWorker&>(*host.shared())) {}

 private:
  StaticSendfile(sluice::Host& host, PerWorker& worker)
      : FileHandler(host, worker.cache, worker.listings), parts_(worker.parts) {}

  sluice::Body* make_body(const FileRef& file, std::uint64_t offset, std::uint64_t size,
                          sluice::Ticket ticket) override {
    return new sluice::SendfileBody(parts_, file, offset, size, ticket);
  }

  sluice::SendfileParts& parts_;
};

constexpr auto kOptions = sluice::files::kFileOptions;

}  // namespace

SLUICE_MODULE(StaticSendfile, .name = "static_sendfile", .version = "1.0.0",
              .summary = "Serves files by sendfile(2) from the page cache, and never waits for a disk",
              .default_mount = "/static/", .options = kOptions.data(), .option_count = kOptions.size());
