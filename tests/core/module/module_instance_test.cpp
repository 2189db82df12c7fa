// An instance is made with checked options, and lives while it is held.
#include "module/module_instance.h"

#include <sys/eventfd.h>
#include <unistd.h>

#include <catch2/catch.hpp>
#include <latch>
#include <memory>
#include <string>

using namespace sluice;

namespace {

struct NoResumer final : Resumer {
  void resume(Ticket, const ModuleInstance&) override {}
};

struct Waiting final : Work {
  explicit Waiting(std::latch& release) : release(release) {}
  void run() override { release.wait(); }
  void done(bool) override {}
  std::latch& release;
};

struct Fixture {
  WorkerStats stats;
  std::unique_ptr<EventLoop> loop = std::move(*EventLoop::create(stats));
  std::unique_ptr<Offload> offload = std::move(*Offload::create(*loop, {}));
  NoResumer resumer;
  InstanceServices services{*loop, *offload, stats, resumer};

  ~Fixture() {
    loop->turn(0);
    offload.reset();
    loop->turn(0);
  }
  std::shared_ptr<ModuleFile> load(const std::string& folder, const std::string& name) {
    return std::move(*ModuleFile::load(folder + "/" + name + ".so", name + ".so"));
  }
  Result<InstanceRef> make(const std::string& name, const MountPlan& mount) {
    return ModuleInstance::create_mounted(services, load(SLUICE_TEST_MODULES, name), InstanceRef(), mount);
  }
  InstanceRef hello(const std::string& prefix) {
    return std::move(*ModuleInstance::create_mounted(services, load(SLUICE_TEST_PLUGINS, "hello"),
                                                     InstanceRef(), {prefix, {}, -1, ""}));
  }
};

std::string message(const Result<InstanceRef>& made) {
  return made ? std::string() : made.error().message;
}

}  // namespace

TEST_CASE_METHOD(Fixture, "options are checked before the handler is made", "[module_instance]") {
  CHECK(make("options", {"/o/", {}, -1, ""}));
  CHECK(make("options", {"/o/", {{"number", "7"}}, -1, ""}));
  CHECK(message(make("options", {"/o/", {{"number", "many"}}, -1, ""})).find("number") != std::string::npos);
  const std::string unknown = message(make("options", {"/o/", {{"colour", "red"}}, -1, ""}));
  CHECK(unknown.find("module options at /o/ has no option colour: it takes root, ") == 0);
}

TEST_CASE_METHOD(Fixture, "a handler is mounted, and a filter is placed, not the reverse",
                 "[module_instance]") {
  MountPlan place{"/o/", {}, -1, ""};
  CHECK(make("options", place));
  CHECK(message(make("filters", place)) ==
        "module filters is a filter, but the mount /o/ names it: write --filter in place of --mount");
  place.filter = true;
  CHECK(make("filters", place));
  CHECK(message(make("options", place)) ==
        "module options is no filter, but the filter /o/ names it: write --mount in place of --filter");
}

TEST_CASE_METHOD(Fixture, "an option that is given again has several items", "[module_instance]") {
  CHECK(message(make("options", {"/o/", {{"number", "7"}, {"number", "7"}}, -1, ""})) ==
        "module options at /o/: option number: '7,7' is not a number: write 0 or more, in digits");
  MountPlan place{"/o/", {{"items", "a,b"}, {"label", "x\ny"}, {"items", "c"}, {"label", "z"}}, -1, ""};
  place.filter = true;
  const auto made = make("filters", place);
  REQUIRE(made);
  CHECK(std::string_view((*made)->option("items")) == "a,b\nc");
  CHECK(std::string_view((*made)->option("label")) == "x\ny,z");
}

TEST_CASE_METHOD(Fixture, "a handler that throws while it is made is a refusal", "[module_instance]") {
  CHECK(message(make("thrower", {"/t/", {{"create", "on"}}, -1, ""})).find("refuses to start") !=
        std::string::npos);
}

TEST_CASE_METHOD(Fixture, "an instance lives to the end of the turn in which its last hold ended",
                 "[module_instance]") {
  InstanceRef instance = hello("/hello/");
  ModuleInstance* raw = instance.get();
  raw->hold();
  instance = InstanceRef();
  loop->turn(0);
  CHECK(raw->name() == "hello at /hello/");  // AddressSanitizer reports it if the instance was destroyed
  raw->release();
  CHECK(raw->name() == "hello at /hello/");
  loop->turn(0);
}

TEST_CASE_METHOD(Fixture, "work that a retired handler offloads is not refused", "[module_instance]") {
  Offload::Limits limits;
  limits.threads = 1;
  limits.queue_max = 4;
  offload = std::move(*Offload::create(*loop, limits));
  InstanceServices tight{*loop, *offload, stats, resumer};
  const InstanceRef instance = std::move(*ModuleInstance::create_mounted(
      tight, load(SLUICE_TEST_PLUGINS, "hello"), InstanceRef(), {"/hello/", {}, -1, ""}));
  std::latch release(1);
  const auto offload_one = [&] {
    auto work = std::make_unique<Waiting>(release);
    if (!instance->offload(work.get())) return false;
    static_cast<void>(work.release());
    return true;
  };
  int accepted = 0;
  while (offload_one()) REQUIRE(++accepted < 50);
  instance->retire();
  CHECK(offload_one());
  release.count_down();
  for (int i = 0; i < 3000 && !offload->idle(); ++i) loop->turn(10);
  CHECK(offload->idle());
}

TEST_CASE_METHOD(Fixture, "a module reaches no timer and no hold but its own", "[module_instance]") {
  struct Counting final : Timer {
    void fired() override { ++count; }
    int count = 0;
  } servers_own, mine, never;
  const InstanceRef one = hello("/one/");
  const InstanceRef two = hello("/two/");
  const TimerId own = loop->timers().start(loop->now_ms(), servers_own);
  const TimerId of_two = two->timer(0, mine);
  two->timer(~std::uint64_t{0}, never);
  one->cancel(own);
  one->cancel(of_two);
  one->release();  // it has no hold
  one->release();
  for (int i = 0; i < 100 && mine.count == 0; ++i) loop->turn(10);
  CHECK(servers_own.count == 1);
  CHECK(mine.count == 1);
  CHECK(never.count == 0);
  CHECK(one->name() == "hello at /one/");
  CHECK(stats.module_faults.get() == 2);
  one->hold();
  CHECK(stats.holds[stats.module_index("hello")].get() == 1);
  one->release();
  CHECK(stats.holds[stats.module_index("hello")].get() == 0);
}

TEST_CASE_METHOD(Fixture, "a descriptor that was closed without unwatch can be watched again",
                 "[module_instance]") {
  struct Seeing final : Watcher {
    void ready(std::uint32_t) override { ++count; }
    int count = 0;
  } watcher;
  const InstanceRef instance = hello("/hello/");
  const int fd = ::eventfd(1, EFD_CLOEXEC | EFD_NONBLOCK);
  REQUIRE(instance->watch(fd, EPOLLIN, watcher));
  CHECK_FALSE(instance->watch(fd, EPOLLIN, watcher));
  loop->turn(0);
  CHECK(watcher.count == 1);
  ::close(fd);
  const int again = ::eventfd(1, EFD_CLOEXEC | EFD_NONBLOCK);
  REQUIRE(again == fd);
  CHECK(instance->watch(again, EPOLLIN, watcher));
  loop->turn(0);
  CHECK(watcher.count == 2);
  // The server has a file with this number now, which ending the watch must not touch.
  ::close(again);
  struct Own final : Pollable {
    void on_events(std::uint32_t) override { ++count; }
    int count = 0;
  } own;
  const UniqueFd servers(::eventfd(1, EFD_CLOEXEC | EFD_NONBLOCK));
  REQUIRE(servers.get() == fd);
  const EventLoop::Token token = loop->add(servers.get(), EPOLLIN, own);
  instance->unwatch(fd);
  loop->turn(0);
  CHECK(own.count == 1);
  loop->remove(token, servers.get());
}

TEST_CASE_METHOD(Fixture, "a question is answered while its instance lives, and else forgotten",
                 "[module_instance]") {
  struct Asked final : Questions {
    bool ask(std::string_view question, Asker& asker) override {
      if (question != "metrics") return false;
      askers.push_back(&asker);
      return true;
    }
    void forget(const Asker& asker) override { std::erase(askers, &asker); }
    std::vector<Asker*> askers;
  } asked;
  struct Taking final : Answered {
    void answered(bool known, Bytes text) override {
      heard += (known ? "" : "unknown ") + std::string(std::string_view(text));
    }
    std::string heard;
  } taking;
  InstanceRef alone = hello("/alone/");
  CHECK_FALSE(alone->ask("metrics", taking));  // there is no server
  services.questions = &asked;
  InstanceRef instance = hello("/hello/");
  CHECK_FALSE(instance->ask("passwords", taking));
  std::size_t taken = 0;
  while (taken < 100 && instance->ask("metrics", taking)) ++taken;
  CHECK(taken == 8);
  while (!asked.askers.empty()) asked.askers.front()->answered(false, "");
  taking.heard.clear();
  REQUIRE(instance->ask("metrics", taking));
  asked.askers.front()->answered(true, "one");
  CHECK(asked.askers.empty());
  CHECK(taking.heard == "one");
  SECTION("an answer may come while it is retired") {
    REQUIRE(instance->ask("metrics", taking));
    instance->retire();
    asked.askers.front()->answered(false, "");
    CHECK(taking.heard == "oneunknown ");
  }
  SECTION("the last hold ends") {
    REQUIRE(instance->ask("metrics", taking));
    REQUIRE(instance->ask("metrics", taking));
    instance = InstanceRef();
    CHECK(asked.askers.empty());
    loop->turn(0);
    CHECK(taking.heard == "one");
  }
}
