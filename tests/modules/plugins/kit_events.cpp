// Events of the kit: what is posted is published to all who listen.
#include <sluice/kit.h>
#include <sluice/module.h>

#include <iterator>
#include <string>

namespace {

namespace kit = sluice::kit;

constexpr sluice::OptionInfo kOptions[] = {
    {.name = "kept", .type = sluice::OptionType::number, .fallback = "4", .help = "Events"},
    {.name = "bytes",
     .type = sluice::OptionType::size,
     .fallback = "64k",
     .help = "Of the events that are kept"},
    {.name = "clients", .type = sluice::OptionType::number, .fallback = "100", .help = "At most"},
    {.name = "heartbeat", .type = sluice::OptionType::duration_ms, .fallback = "10s", .help = "After silence"},
    {.name = "cut", .type = sluice::OptionType::flag, .fallback = "off", .help = "Slow clients"},
};

class KitEvents : public kit::Service {
 public:
  explicit KitEvents(sluice::Host& host)
      : Service(host),
        channel_(host,
                 {static_cast<std::size_t>(host.number("kept")), static_cast<std::size_t>(host.number("bytes")),
                  static_cast<std::size_t>(host.number("clients")), host.number("heartbeat"),
                  host.number("cut") == 1}) {
    on("GET", "", &KitEvents::listen);
    on("POST", "", &KitEvents::tell);
    on("GET", "clients", &KitEvents::clients);
    on("POST", "close", &KitEvents::close);
  }
  void retire() override { channel_.close(); }
  void leaving(sluice::Leaving) override { channel_.close(); }

 private:
  void listen(kit::Call& call) { channel_.subscribe(call.exchange()); }
  kit::Flow tell(kit::Call& call) {
    const std::string text = co_await call.body(64 * 1024);
    try {
      channel_.publish(text, call.query("event").value_or(""));
    } catch (const std::invalid_argument& error) {
      throw kit::Refuse{400, error.what()};
    }
    call.done();
  }
  void clients(kit::Call& call) { call.json(200, std::to_string(channel_.clients())); }
  void close(kit::Call& call) {
    channel_.close();
    call.done();
  }

  kit::EventChannel channel_;
};

}  // namespace

SLUICE_MODULE(KitEvents, .name = "kit_events", .version = "1.0.0", .summary = "Events of the kit",
              .default_mount = "/kit_events/", .options = kOptions, .option_count = std::size(kOptions));
