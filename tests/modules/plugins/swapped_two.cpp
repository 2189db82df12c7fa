// Version two of a module that tests replace while it serves.
#include "swapped.h"

namespace {

struct Version {
  static constexpr const char* kAnswer = "two\n";
};
using Handler = swapped::Swapped<Version>;

}  // namespace

SLUICE_MODULE(Handler, .name = "swapped", .version = "two", .summary = "Says two",
              .default_mount = "/swapped/");
