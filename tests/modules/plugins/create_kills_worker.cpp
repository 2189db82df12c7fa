// A handler whose constructor ends a worker, but not the process in which modules are tried.
#include <pthread.h>
#include <sluice/module.h>

#include <cstdlib>
#include <string_view>

namespace {

class Create : public sluice::Handler {
 public:
  explicit Create(sluice::Host&) {
    char process[16]{};
    ::pthread_getname_np(::pthread_self(), process, sizeof(process));
    if (std::string_view(process) == "sluice-worker") std::abort();
  }
  void handle(sluice::Exchange& exchange) override { exchange.send("never\n"); }
};

}  // namespace

SLUICE_MODULE(Create, .name = "swapped", .version = "2.0.0", .summary = "Cannot be created in a worker",
              .default_mount = "/swapped/");
