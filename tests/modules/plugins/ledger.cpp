// Answers in many ways, by the path, and keeps account of every body, task and reader that it makes.
#include <sluice/module.h>

#include <algorithm>
#include <cstdlib>
#include <memory>
#include <stdexcept>
#include <string>
#include <string_view>

#include "../../support/ledger.h"

namespace {

using sluice::test::Ledger;

class Counted {
 public:
  explicit Counted(Ledger& ledger) : ledger_(ledger) { ++ledger_.made; }
  ~Counted() { ++ledger_.destroyed; }
  Counted(const Counted&) = delete;
  Counted& operator=(const Counted&) = delete;

 private:
  Ledger& ledger_;
};

// Writes that many bytes in pieces, then ends, parks for good, or fails.
class Writes final : public sluice::Body, Counted {
 public:
  Writes(Ledger& ledger, std::size_t size, sluice::Progress then) : Counted(ledger), left_(size), then_(then) {}
  sluice::Progress pump(sluice::Sink& sink) override {
    const std::string piece(std::min<std::size_t>(left_, 1000), 'x');
    if (!piece.empty()) {
      const sluice::Bytes bytes(piece);
      left_ -= sink.write(&bytes, 1).size;
    }
    return left_ > 0 ? sluice::Progress::more : then_;
  }

 private:
  std::size_t left_;
  sluice::Progress then_;
};

// Writes nothing, and waits for its turn and for its module by turns.
class Restless final : public sluice::Body, Counted {
 public:
  explicit Restless(Ledger& ledger) : Counted(ledger) {}
  sluice::Progress pump(sluice::Sink&) override {
    parks_ = !parks_;
    return parks_ ? sluice::Progress::parked : sluice::Progress::more;
  }

 private:
  bool parks_ = false;
};

class Waits final : public sluice::Task, Counted {
 public:
  Waits(Ledger& ledger, bool answers) : Counted(ledger), answers_(answers) {}
  void resumed(sluice::Exchange& exchange) override {
    if (answers_) exchange.send("late");
  }

 private:
  bool answers_;
};

class Reads final : public sluice::Reader, Counted {
 public:
  Reads(Ledger& ledger, std::uint64_t at_once, bool throws)
      : Counted(ledger), at_once_(at_once), throws_(throws) {}
  std::uint64_t take(sluice::Bytes bytes) override {
    if (throws_) throw std::runtime_error("it cannot be read");
    return std::min<std::uint64_t>(at_once_, bytes.size);
  }
  void end() override {}

 private:
  std::uint64_t at_once_;
  bool throws_;
};

class AnswersManyWays final : public sluice::Handler {
 public:
  explicit AnswersManyWays(sluice::Host&) {}
  void ended(sluice::Exchange& exchange, const sluice::Outcome& outcome) override {
    ledger_of(exchange).filters += "h.";
    ledger_of(exchange).outcome = outcome;
  }
  void handle(sluice::Exchange& exchange) override {
    using sluice::Progress;
    Ledger& ledger = ledger_of(exchange);
    const std::string_view path = exchange.request().path;
    const auto stream = [&](std::uint64_t size, std::size_t written, Progress then) {
      exchange.stream(size, new Writes(ledger, written, then));
    };
    if (path == "streams") return stream(3000, 3000, Progress::done);
    if (path == "endless") return stream(sluice::kUnknownSize, 10, Progress::parked);
    if (path == "parks") return stream(3000, 10, Progress::parked);
    if (path == "overruns") return stream(10, 20, Progress::done);
    if (path == "underruns") return stream(20, 10, Progress::done);
    if (path == "fails") return stream(20, 0, Progress::failed);
    if (path == "fails_late") return stream(20, 10, Progress::failed);
    if (path == "twice") stream(3000, 3000, Progress::done);
    if (path == "twice") return stream(10, 10, Progress::done);
    if (path == "defers") return exchange.defer(new Waits(ledger, false));
    if (path == "defers_shortly") return exchange.defer(new Waits(ledger, true));
    if (path == "throws") exchange.defer(new Waits(ledger, true));
    if (path == "throws") throw std::runtime_error("in the middle of it");
    if (path == "upgrades_restless") {
      exchange.upgrade("ledger", new Reads(ledger, 1, false), new Restless(ledger));
      return;
    }
    if (path.starts_with("upgrades")) {
      exchange.tell_end();
      const Progress then = path == "upgrades"         ? Progress::parked
                            : path == "upgrades_badly" ? Progress::failed
                                                       : Progress::done;
      const std::uint64_t at_once = path == "upgrades_slowly" ? 1 : 1'000'000;
      exchange.upgrade("ledger", new Reads(ledger, at_once, path == "upgrades_and_throws"),
                       new Writes(ledger, path == "upgrades_badly" ? 0 : 10, then));
      return;
    }
    exchange.receive(new Reads(ledger, path == "reads_slowly" ? 1 : 1'000'000, path == "reads_badly"));
    if (path == "reads_first") return exchange.defer(new Waits(ledger, true));
    if (path == "reads_and_streams") return stream(3000, 3000, Progress::done);
    exchange.send("answered");
  }

 private:
  static Ledger& ledger_of(const sluice::Exchange& exchange) {
    const std::string query(std::string_view(exchange.request().query));
    return *reinterpret_cast<Ledger*>(std::strtoull(query.c_str(), nullptr, 16));
  }
};

}  // namespace

SLUICE_MODULE(AnswersManyWays, .name = "ledger", .version = "1.0.0",
              .summary = "Keeps account of what it makes", .default_mount = "/ledger/");
