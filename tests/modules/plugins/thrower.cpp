// Throws: while it is created (option create=on), in handle, in a task, in a reader, or in a body's pump. The
// path chooses.
#include <sluice/module.h>

#include <stdexcept>
#include <string>
#include <string_view>

namespace {

class ThrowingBody : public sluice::Body {
 public:
  sluice::Progress pump(sluice::Sink& sink) override {
    if (begun_) throw std::runtime_error("thrown in pump");
    begun_ = true;
    const sluice::Bytes piece("begun ");
    sink.write(&piece, 1);
    return sluice::Progress::more;
  }

 private:
  bool begun_ = false;
};

class ThrowingTask : public sluice::Task {
 public:
  void resumed(sluice::Exchange&) override { throw std::runtime_error("thrown in a task"); }
};

class ThrowingReader : public sluice::Reader {
 public:
  std::uint64_t take(sluice::Bytes) override { throw std::runtime_error("thrown in a reader"); }
  void end() override {}
};

// Waits for a reader that throws before it can resume the task.
class PatientTask : public sluice::Task {
 public:
  void resumed(sluice::Exchange& exchange) override { exchange.send("not reached\n"); }
};

class Thrower : public sluice::Handler {
 public:
  explicit Thrower(sluice::Host& host) : host_(host) {
    if (host.number("create") != 0) throw std::runtime_error("thrown while being created");
  }
  void handle(sluice::Exchange& exchange) override {
    const std::string_view path = exchange.request().path;
    if (path == "pump") return exchange.stream(100, new ThrowingBody);
    if (path == "task") {
      exchange.defer(new ThrowingTask);
      return host_.resume(exchange.ticket());
    }
    if (path == "reader") {
      exchange.receive(new ThrowingReader);
      return exchange.defer(new PatientTask);
    }
    if (path == "number") throw 42;
    if (path == "deferred") exchange.defer(new PatientTask);
    throw std::runtime_error("thrown in handle");
  }

 private:
  sluice::Host& host_;
};

constexpr sluice::OptionInfo kOptions[] = {
    {"create", sluice::OptionType::flag, 0, "off", "throw while being created", nullptr},
};

}  // namespace

SLUICE_MODULE(Thrower, .name = "thrower", .version = "1.0.0", .summary = "Throws where it is told to",
              .default_mount = "/thrower/", .options = kOptions, .option_count = 1);
