// Version one of a module that tests replace while it serves.
#include "swapped.h"

namespace {

struct Version {
  static constexpr const char* kAnswer = "one\n";
};
using Handler = swapped::Swapped<Version>;

}  // namespace

SLUICE_MODULE(Handler, .name = "swapped", .version = "one", .summary = "Says one",
              .default_mount = "/swapped/");
