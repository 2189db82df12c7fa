// Asks another server, and tells its answer.
#include <sluice/kit.h>
#include <sluice/kit/fetch.h>
#include <sluice/module.h>

#include <string>
#include <utility>

namespace {

namespace kit = sluice::kit;

constexpr sluice::OptionInfo kOptions[] = {
    {.name = "base", .help = "Of the other server: http://127.0.0.1:9000"},
    {.name = "time", .type = sluice::OptionType::duration_ms, .fallback = "400ms", .help = "For an answer"},
    {.name = "redirects", .type = sluice::OptionType::number, .fallback = "0", .help = "That are followed"},
};

class KitFetch : public kit::Service {
 public:
  explicit KitFetch(sluice::Host& host)
      : Service(host), base_(std::string_view(host.option("base"))), client_(host, limits(host)) {
    for (const char* method : {"GET", "POST", "DELETE"}) on(method, "{path...}", &KitFetch::pass_on);
  }

 private:
  static kit::FetchLimits limits(const sluice::Host& host) {
    kit::FetchLimits limits;
    limits.content_max = 100'000;
    limits.time_ms = host.number("time");
    limits.redirects_max = host.number("redirects");
    return limits;
  }
  kit::Flow pass_on(kit::Call& call) {
    kit::FetchRequest request(base_ + "/" + kit::path_encoded(call.param("path")),
                              std::string(std::string_view(call.request().method_name)));
    request.field("X-Empty", "").field("X-Asked", "yes");
    if (call.request().body_size != 0) {
      std::string content = co_await call.body(1 << 20);
      request.content("text/plain", std::move(content));
    }
    const kit::FetchAnswer answer = co_await client_.fetch(call, request);
    call.add_field("X-Type", answer.field("content-type"));
    call.add_field("X-Location", answer.field("Location"));
    call.send(answer.status, "text/plain", answer.content);
  }

  const std::string base_;
  kit::FetchClient client_;
};

}  // namespace

SLUICE_MODULE(KitFetch, .name = "kit_fetch", .version = "1.0.0", .summary = "Asks another server",
              .options = kOptions, .option_count = 3, .needs = sluice::kNeedsNetwork);
