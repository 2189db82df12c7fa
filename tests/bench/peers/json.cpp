// The JSON of the peers, made anew for each request by the kit.
#include <sluice/kit.h>
#include <sluice/module.h>

namespace {

namespace kit = sluice::kit;

class Json : public kit::Service {
 public:
  explicit Json(sluice::Host& host) : Service(host) { on("GET", "", &Json::get); }

 private:
  void get(kit::Call& call) {
    call.json(200,
              kit::JsonText().object().member("name", "attic").member("seats", 4).member("open", true).end());
  }
};

}  // namespace

SLUICE_MODULE(Json, .name = "json", .version = "1.0.0", .summary = "JSON", .default_mount = "/json/");
