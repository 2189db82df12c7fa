// Flows of the kit: one for each thing that a Flow can wait for, and for each way in which it can end. It
// counts the flows that have begun, and those whose variables were destroyed.
#include <fcntl.h>
#include <sluice/kit.h>
#include <sluice/module.h>
#include <unistd.h>

#include <chrono>
#include <stdexcept>
#include <string>
#include <thread>

namespace {

namespace kit = sluice::kit;

class KitFlows : public kit::Service {
 public:
  explicit KitFlows(sluice::Host& host)
      : Service(host), begun_(host.counter("begun")), ended_(host.counter("ended")) {
    on("GET", "sleep/{ms}", &KitFlows::sleep);
    on("GET", "steps", &KitFlows::steps);
    on("GET", "thread", &KitFlows::thread);
    on("GET", "blocked", &KitFlows::blocked);
    on("GET", "readable", &KitFlows::readable);
    on("GET", "writable", &KitFlows::writable);
    on("POST", "body/{max}", &KitFlows::body);
    on("POST", "twice", &KitFlows::twice);
    on("GET", "caught", &KitFlows::caught);
    on("GET", "refused", &KitFlows::refused);
    on("GET", "thrown/{where}", &KitFlows::thrown);
    on("GET", "silent/{ms}", &KitFlows::silent);
    on("GET", "asked/{ms}", &KitFlows::asked);
    on("GET", "answered/{where}", &KitFlows::answered);
    on("GET", "late", &KitFlows::late);
    on("GET", "lent", &KitFlows::lent);
    on("GET", "unwritten", &KitFlows::unwritten);
    on("GET", "passed/{ms}", &KitFlows::passed);
  }

 private:
  // A variable of each flow. It has bytes of its own, so that a sanitizer sees it used after its end.
  class Guard {
   public:
    explicit Guard(KitFlows& flows) : flows_(flows) { flows_.host().count(flows_.begun_, 1); }
    ~Guard() { flows_.host().count(flows_.ended_, 1); }
    Guard(const Guard&) = delete;
    Guard& operator=(const Guard&) = delete;
    std::string text = "the text of a flow, which is longer than what fits into a string itself";

   private:
    KitFlows& flows_;
  };

  static void send(kit::Call& call, std::string_view text) { call.send(200, "text/plain", text); }

  kit::Flow sleep(kit::Call& call) {
    const Guard guard(*this);
    co_await call.sleep(call.number("ms"));
    send(call, "slept " + call.param("ms"));
  }
  kit::Flow steps(kit::Call& call) {
    Guard guard(*this);
    guard.text.clear();
    for (int i = 0; i < 3; ++i) {
      co_await call.sleep(1);
      guard.text += co_await call.offload([&] { return std::to_string(i); });
    }
    const auto named = [text = guard.text] { return text + "!"; };
    send(call, co_await call.offload(named));
  }
  kit::Flow thread(kit::Call& call) {
    Guard guard(*this);
    const auto loop = std::this_thread::get_id();
    const bool elsewhere = co_await call.offload([&] { return std::this_thread::get_id() != loop; });
    co_await call.offload([&] { guard.text = "nothing is returned"; });
    send(call, elsewhere && std::this_thread::get_id() == loop ? guard.text : "wrong thread");
  }
  // Its thread waits for a byte of ?fd=, or sleeps for ?ms=, and then uses the variables.
  kit::Flow blocked(kit::Call& call) {
    Guard guard(*this);
    const auto fd = static_cast<int>(call.query_number("fd", 0, 1 << 20));
    const std::uint64_t ms = call.query_number("ms", 0, 10'000);
    const std::string all = co_await call.offload([&] {
      char byte = '-';
      if (fd > 0 && ::read(fd, &byte, 1) != 1) byte = '!';
      if (ms > 0) std::this_thread::sleep_for(std::chrono::milliseconds(ms));
      guard.text += byte;
      return guard.text;
    });
    send(call, all);
  }
  kit::Flow readable(kit::Call& call) {
    const Guard guard(*this);
    const auto fd = static_cast<int>(call.query_number("fd", 0, 1 << 20));
    const bool ready = co_await call.readable(fd, call.query_number("ms", 0, 100'000));
    send(call, ready ? "ready" : "not in time");
  }
  kit::Flow writable(kit::Call& call) {
    const Guard guard(*this);
    const auto fd = static_cast<int>(call.query_number("fd", 0, 1 << 20));
    while (::write(fd, guard.text.data(), guard.text.size()) > 0) continue;
    send(call, co_await call.writable(fd) ? "ready" : "never");
  }
  kit::Flow body(kit::Call& call) {
    const Guard guard(*this);
    const std::string text = co_await call.body(call.number("max"));
    co_await call.sleep(1);  // the rest of a body does not wake it
    send(call, text.empty() ? "empty" : text);
  }
  kit::Flow twice(kit::Call& call) {
    const Guard guard(*this);
    co_await call.body(100);
    try {
      co_await call.body(100);
    } catch (const std::logic_error& error) {
      send(call, error.what());
    }
  }
  kit::Flow caught(kit::Call& call) {
    Guard guard(*this);
    try {
      co_await call.offload([&] { throw std::runtime_error(guard.text); });
    } catch (const std::runtime_error& error) {
      guard.text = error.what();
    }
    try {
      co_await call.readable(-1);
    } catch (const std::runtime_error& error) {
      guard.text += error.what();
    }
    send(call, guard.text);
  }
  kit::Flow refused(kit::Call& call) {
    const Guard guard(*this);
    const int one = co_await call.offload([&]() -> int { throw kit::Refuse{409, "on a thread"}; });
    send(call, std::to_string(one));
  }
  kit::Flow thrown(kit::Call& call) {
    const Guard guard(*this);
    if (call.param("where") == "later") co_await call.sleep(1);
    throw std::runtime_error("thrown on purpose");
  }
  kit::Flow silent(kit::Call& call) {
    const Guard guard(*this);
    if (const std::uint64_t ms = call.number("ms"); ms > 0) co_await call.sleep(ms);
  }
  // What a Call is asked for is no answer.
  kit::Flow asked(kit::Call& call) {
    const Guard guard(*this);
    call.note("port", std::to_string(call.peer().port));
    co_await call.sleep(call.number("ms"));
    if (call.noted("port") != std::to_string(call.peer().port)) send(call, "another port");
  }
  // What is behind the wait never runs.
  kit::Flow answered(kit::Call& call) {
    Guard guard(*this);
    if (call.param("where") == "later") co_await call.sleep(1);
    send(call, "answered");
    co_await call.offload([&] { guard.text += " once"; });
    send(call, "twice");
  }
  kit::Flow late(kit::Call& call) {
    const Guard guard(*this);
    co_await call.offload([&] {
      try {
        call.send(200, "text/plain", "from a thread");
      } catch (const std::logic_error&) {
        return;
      }
    });
    send(call, guard.text);
  }
  kit::Flow lent(kit::Call& call) {
    const Guard guard(*this);
    call.exchange().note("seen", "yes");
    co_await call.sleep(1);
    call.exchange().send("by the exchange");
  }

  // JSON that has no end is no answer.
  kit::Flow unwritten(kit::Call& call) {
    const Guard guard(*this);
    try {
      call.json(200, kit::JsonText().array());
    } catch (const std::logic_error&) {
    }
    co_await call.sleep(1);
    send(call, "written");
  }
  // No coroutine itself.
  kit::Flow passed(kit::Call& call) { return named(call, call.number("ms"), "passed on"); }
  kit::Flow named(kit::Call& call, std::uint64_t ms, std::string text) {
    const Guard guard(*this);
    co_await call.sleep(ms);
    send(call, text);
  }

  const std::uint32_t begun_;
  const std::uint32_t ended_;
};

}  // namespace

SLUICE_MODULE(KitFlows, .name = "kit_flows", .version = "1.0.0", .summary = "Flows of the kit",
              .default_mount = "/kit_flows/");
