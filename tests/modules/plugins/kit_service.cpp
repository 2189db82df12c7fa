// A service of the kit: its routes show what a Call tells, and how it answers.
#include <sluice/kit.h>
#include <sluice/module.h>

#include <iterator>
#include <string>

namespace {

namespace kit = sluice::kit;

constexpr sluice::OptionInfo kOptions[] = {
    {.name = "errors", .type = sluice::OptionType::choice, .fallback = "problems", .choices = "problems|pages"},
    {.name = "route", .fallback = "", .help = "One more route"},
};

class KitService : public kit::Service {
 public:
  explicit KitService(sluice::Host& host)
      : Service(host, std::string_view(host.option("errors")) == "pages" ? kit::Errors::pages
                                                                         : kit::Errors::problems) {
    on("GET", "", &KitService::home);
    on("GET", "items/{id}", &KitService::item);
    on("PUT", "items/{id}", &KitService::put);
    on("GET", "asked", &KitService::asked);
    on("GET", "away", &KitService::away);
    on("GET", "refused", &KitService::refused);
    if (const std::string_view route = host.option("route"); !route.empty())
      on("GET", route, &KitService::home);
  }

  void home(kit::Call& call) { call.send(200, "text/plain", "home\n"); }
  void item(kit::Call& call) {
    const std::uint64_t id = call.number("id");
    if (id > 9) throw kit::Refuse{404, "There are ten items"};
    call.json(200, kit::JsonText().object().member("id", id).end());
  }
  kit::Flow put(kit::Call& call) {
    if (call.media_type() != "text/plain") throw kit::Refuse{415};
    const std::string text = co_await call.body(10);
    if (text.empty()) throw kit::Refuse{422};
    call.add_field("Location", call.param("id"));
    call.done(201);
  }
  void asked(kit::Call& call) {
    kit::JsonText json;
    json.object().member("q", call.query("q").value_or("-")).member("page", call.query_number("page", 1, 100));
    json.member("sid", call.cookie("sid").value_or("-")).member("x", call.field("x-y").value_or("-"));
    json.member("accept", call.field(sluice::FieldId::accept).value_or("-"));
    json.key("tags").array();
    for (const std::string& tag : call.query().all("tag")) json.value(tag);
    call.json(200, json.end().member("method", std::string_view(call.request().method_name)).end().dump());
  }
  void away(kit::Call& call) { call.redirect(call.query("to").value_or("/")); }
  void refused(kit::Call& call) {
    throw kit::Refuse{static_cast<std::uint32_t>(call.query_number("status", 404, 599)), "a \"reason\""};
  }
};

}  // namespace

SLUICE_MODULE(KitService, .name = "kit_service", .version = "1.0.0", .summary = "Routes of the kit",
              .default_mount = "/kit_service/", .options = kOptions, .option_count = std::size(kOptions));
