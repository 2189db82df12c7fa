// Leaves pointers to its code in the process: a pthread key with a destructor, set on a thread of the server,
// and a signal handler.
#include <pthread.h>
#include <sluice/module.h>

#include <csignal>
#include <memory>

namespace {

pthread_key_t key;
volatile int calls = 0;

void destroy(void*) {
  calls = calls + 1;
}

void on_signal(int) {
  calls = calls + 1;
}

class SetKey : public sluice::Work {
 public:
  SetKey(sluice::Host& host, sluice::Ticket ticket) : host_(host), ticket_(ticket) {}
  void run() override { ::pthread_setspecific(key, &key); }
  void done(bool) override { host_.resume(ticket_); }

 private:
  sluice::Host& host_;
  sluice::Ticket ticket_;
};

class Answer : public sluice::Task {
 public:
  void resumed(sluice::Exchange& exchange) override { exchange.send("left\n"); }
};

class Leaves : public sluice::Handler {
 public:
  explicit Leaves(sluice::Host& host) : host_(host) {
    ::pthread_key_create(&key, destroy);
    ::signal(SIGWINCH, on_signal);
  }
  void handle(sluice::Exchange& exchange) override {
    auto work = std::make_unique<SetKey>(host_, exchange.ticket());
    if (!host_.offload(work.get())) return exchange.fail(503);
    static_cast<void>(work.release());
    exchange.defer(new Answer);
  }

 private:
  sluice::Host& host_;
};

}  // namespace

SLUICE_MODULE(Leaves, .name = "leaves_code", .version = "1.0.0", .summary = "Leaves callbacks behind",
              .default_mount = "/leaves_code/");
