// Answers with the text of its own library, which is found below the module's folder.
#include <sluice/module.h>

#include <string_view>

extern "C" const char* own_text();

namespace {

class WithLibrary : public sluice::Handler {
 public:
  explicit WithLibrary(sluice::Host&) {}
  void handle(sluice::Exchange& exchange) override { exchange.send(std::string_view(own_text())); }
};

}  // namespace

SLUICE_MODULE(WithLibrary, .name = "with_library", .version = "1.0.0", .summary = "Needs a library of its own",
              .default_mount = "/with_library/");
