// kit/rig.h: handlers of every kind are tried without a server, and what breaks the contract is told.
#include <sluice/kit.h>
#include <sluice/kit/rig.h>
#include <sys/eventfd.h>
#include <unistd.h>

#include <catch2/catch.hpp>
#include <iterator>
#include <memory>
#include <stdexcept>
#include <string>

using namespace sluice;
using Catch::Matchers::Contains;
using kit::Rig;
using kit::RigAnswer;

namespace {

constexpr OptionInfo kOptions[] = {
    {.name = "size", .type = OptionType::size, .fallback = "2k", .help = ""},
    {.name = "word", .fallback = "good", .help = ""},
    {.name = "pause", .type = OptionType::duration_ms, .fallback = "20", .help = ""},
    {.name = "kind", .type = OptionType::choice, .fallback = "two", .help = "", .choices = "one|two"},
};

// Ways of a handler, by the path.
class Ways : public kit::Service {
 public:
  struct PerWorker : Shared {
    explicit PerWorker(Host&) {}
    int made = 7;
  };
  explicit Ways(Host& host) : Service(host), counter_(host.counter("asked")) {
    if (host.option("word").size == 0) host.reject("say a word");
    on("GET", "at-once/{name}", &Ways::at_once);
    on("GET", "later", &Ways::later);
    on("GET", "ready", &Ways::ready);
    on("GET", "stream", &Ways::stream);
    on("POST", "echo", &Ways::echo);
    on("GET", "shared", &Ways::shared);
    on("GET", "other", &Ways::other);
  }
  void ended(Exchange&, const Outcome& outcome) override { host().count(counter_, outcome.sent); }

 private:
  void other(kit::Call& call) { call.hand_over("/b/c"); }
  void at_once(kit::Call& call) {
    call.exchange().tell_end();
    call.add_field("X-Word", std::string_view(host().option("word")));
    call.send(201, "text/plain",
              call.param("name") + " " + std::to_string(host().number("size")) + " " +
                  std::to_string(host().number("pause")) + " " + std::to_string(host().number("kind")));
  }
  kit::Flow later(kit::Call& call) {
    const int sum = co_await call.offload([] { return 42; });
    co_await call.sleep(3'600'000);
    call.send(200, "text/plain", std::to_string(sum));
  }
  kit::Flow ready(kit::Call& call) {
    const int fd = ::eventfd(1, EFD_CLOEXEC | EFD_NONBLOCK);
    const bool is_ready = co_await call.readable(fd, 60'000);
    ::close(fd);
    call.send(200, "text/plain", is_ready ? "ready" : "late");
  }
  class Lines final : public Body {
   public:
    Progress pump(Sink& sink) override {
      while (left_ > 0) {
        const std::string line = std::to_string(left_) + "\n";
        if (sink.room() < line.size()) return Progress::more;
        const Bytes piece(line);
        sink.write(&piece, 1);
        --left_;
      }
      return Progress::done;
    }

   private:
    int left_ = 3'000;
  };
  void stream(kit::Call& call) { call.stream(kUnknownSize, new Lines); }
  kit::Flow echo(kit::Call& call) {
    const std::string text = co_await call.body(10);
    call.send(200, call.media_type(), text);
  }
  void shared(kit::Call& call) {
    const auto sum = host().add_shared_number("n", 2);
    const bool one = host().claim("c", 1);
    const bool two = host().claim("c", 1);
    host().give_back("c");
    const int made = static_cast<PerWorker*>(host().shared())->made;
    call.send(200, "text/plain",
              std::to_string(sum) + (one ? "y" : "n") + (two ? "y" : "n") + std::to_string(made));
  }

  const std::uint32_t counter_;
};

class Wrong : public Handler {
 public:
  explicit Wrong(Host& host) : host_(host) {}
  void handle(Exchange& exchange) override {
    const std::string_view path = exchange.request().path;
    if (path == "never") return;
    if (path == "twice") exchange.send("a");
    if (path == "waits") return exchange.defer(new Waits);
    if (path == "ticks") {
      host_.every(5, tick_);
      return exchange.defer(new Waits);
    }
    exchange.send("b");
  }

 private:
  struct Waits final : Task {
    void resumed(Exchange&) override {}
  };
  struct Tick final : Timer {
    void fired() override {}
  };
  Host& host_;
  Tick tick_;
};

template <typename Type>
constexpr ModuleInfo describe() {
  return detail::describe<Type>({.name = "tried",
                                 .version = "1",
                                 .summary = "",
                                 .options = kOptions,
                                 .option_count = std::size(kOptions)});
}

}  // namespace

TEST_CASE("a rig tries handlers of every kind", "[kit]") {
  Rig rig(describe<Ways>(), {{"word", "day"}});
  const RigAnswer answer = rig.get("at-once/a%20b+c?x");
  CHECK(answer.status == 201);
  CHECK(answer.content == "a b+c 2048 20 1");
  CHECK(answer.field("x-word") == "day");
  CHECK(answer.field("Content-Type") == "text/plain");
  CHECK(answer.complete);
  CHECK(rig.counted("asked") == answer.content.size());
  CHECK(rig.get("later").content == "42");
  CHECK(rig.get("ready").content == "ready");
  std::string lines;
  for (int i = 3'000; i > 0; --i) lines += std::to_string(i) + "\n";
  CHECK(rig.get("stream").content == lines);
  CHECK(rig.post("echo", "text", "a/b").content == "text");
  CHECK(rig.post("echo", "text", "a/b").field("Content-Type") == "a/b");
  CHECK(rig.post("echo", "more than ten").status == 413);
  CHECK(rig.ask({.method = "POST", .target = "echo", .pieces = {"01", "23"}, .has_size = false}).content ==
        "0123");
  CHECK(rig.get("nowhere").status == 404);
  CHECK(rig.get("other").handed_over == "/b/c");
  CHECK(rig.get("shared").content == "2yn7");
  CHECK(rig.shared_numbers()["n"] == 2);
}

TEST_CASE("a rig tells what breaks the contract, and what refuses to be made", "[kit]") {
  Rig rig(describe<Wrong>());
  CHECK(rig.get("fine").content == "b");
  CHECK_THROWS_WITH(rig.get("never"), Contains("neither answered nor deferred"));
  CHECK_THROWS_WITH(rig.get("twice"), Contains("answered twice"));
  CHECK_THROWS_WITH(rig.get("waits"), Contains("waits for nothing"));
  CHECK_THROWS_WITH(rig.get("ticks"), Contains("has not answered after"));
  CHECK_THROWS_WITH(Rig(describe<Ways>(), {{"word", ""}}), Contains("say a word"));
  CHECK_THROWS_WITH(Rig(describe<Ways>(), {{"wort", ""}}), Contains("no option wort"));
  CHECK_THROWS_WITH(Rig(describe<Ways>(), {{"pause", "20"}}), Contains("option pause: '20' has no unit"));
  CHECK_THROWS_WITH(Rig(describe<Ways>(), {{"size", "1s"}}), Contains("option size: '1s' has no unit"));
  CHECK_THROWS_WITH(Rig(describe<Ways>(), {{"size", "-1"}}), Contains("is no number"));
  CHECK_THROWS_WITH(Rig(describe<Ways>(), {{"kind", "three"}}), Contains("not among its choices"));
}
