// Serves the files of a folder by Linux native AIO. Cached content is copied from the page cache; the rest is
// read directly into buffers while the loop goes on. A processing step can stand between reading and sending.
#include <sluice/module.h>

#include "common/http/http_text.h"
#include "common/reading/file_reader.h"
#include "common/serving/file_handler.h"
#include "dynamic_aio/aio_engine.h"
#include "dynamic_aio/processed_body.h"

namespace {

using sluice::Exchange;
using sluice::files::FileRef;

enum class Process { none, upper, markers };

class DynamicAio final : public sluice::files::FileHandler {
 public:
  class PerWorker final : public sluice::Shared {
   public:
    explicit PerWorker(sluice::Host& host) : reads(host), engine(host, reads), cache(host) {}
    void retire() override {
      cache.retire();
      reads.retire();
      engine.retire();
    }

    sluice::files::ReadQueue reads;
    sluice::AioEngine engine;
    sluice::files::ListingStore listings;
    sluice::files::FileCache cache;  // the last member ends first: the others hold its files
  };

  explicit DynamicAio(sluice::Host& host) : DynamicAio(host, static_cast<PerWorker&>(*host.shared())) {}

 private:
  DynamicAio(sluice::Host& host, PerWorker& worker)
      : FileHandler(host, worker.cache, worker.listings),
        reads_(worker.reads),
        process_(process_option(host)) {}

  static Process process_option(sluice::Host& host) {
    const std::string_view name = host.option("process");
    return name == "upper" ? Process::upper : name == "markers" ? Process::markers : Process::none;
  }

  sluice::Body* make_body(const FileRef& file, std::uint64_t offset, std::uint64_t size,
                          sluice::Ticket ticket) override {
    return new sluice::files::CopyBody(reads_, file, offset, size, ticket);
  }

  bool sends_files_as_they_are() const override { return process_ == Process::none; }

  // Processed content differs from the file's in size, and may say what time it is: it gets no validators.
  void answer(Exchange& exchange, const FileRef& file, sluice::files::Coding coding) override {
    if (process_ == Process::none) return FileHandler::answer(exchange, file, coding);
    bool range_applies = false;  // unused: processed content has no ranges
    if (answer_condition(exchange, *file, false, range_applies)) return;
    add_common_fields(exchange, *file);
    exchange.field("Content-Type", type_of(file->path()));
    sluice::Body* body = nullptr;
    if (exchange.request().method == sluice::Method::head) {
      body = new sluice::files::NoBody;
    } else {
      body = new sluice::ProcessedBody(reads_, file, exchange.ticket(), make_processor(exchange, *file));
    }
    exchange.stream(sluice::kUnknownSize, body);
  }

  std::unique_ptr<sluice::Processor> make_processor(Exchange& exchange,
                                                    const sluice::files::OpenFile& file) const {
    if (process_ == Process::upper) return std::make_unique<sluice::UpperProcessor>();
    const sluice::Request& request = exchange.request();
    sluice::MarkersProcessor::Values values;
    values.date = sluice::files::http_date(sluice::files::wall_seconds());
    values.mtime = sluice::files::http_date(file.facts().mtime_s);
    sluice::files::append_html(values.path, request.mount);
    sluice::files::append_html(values.path, request.path);
    return std::make_unique<sluice::MarkersProcessor>(std::move(values));
  }

  sluice::files::ReadQueue& reads_;
  const Process process_;
};

constexpr auto kOptions = sluice::files::with_file_options(std::array{
    sluice::OptionInfo{"process", sluice::OptionType::choice, 0, "none",
                       "what is done to content: upper (upper case, tabs expanded) or markers (<!--# date -->, "
                       "<!--# path -->, <!--# mtime --> replaced)",
                       "none|upper|markers"},
});

}  // namespace

SLUICE_MODULE(DynamicAio, .name = "dynamic_aio", .version = "1.0.0",
              .summary = "Serves files by Linux native AIO, and can process them on their way",
              .default_mount = "/dynamic/", .options = kOptions.data(), .option_count = kOptions.size());
