// The handlers of a worker are made some at a time, taken over if nothing has changed, and never two at one
// prefix.
#include "module/mount_table.h"

#include <catch2/catch.hpp>
#include <string>

using namespace sluice;

namespace {

struct NoResumer final : Resumer {
  void resume(Ticket, const ModuleInstance&) override {}
};

constexpr std::size_t kMounts = 10;

std::string prefix(std::size_t mount) {
  return "/mount" + std::to_string(mount) + "/";
}

// Mounts of the module hello, and the module defer at its default mount.
struct Fixture {
  WorkerStats stats;
  std::unique_ptr<EventLoop> loop = std::move(*EventLoop::create(stats));
  std::unique_ptr<Offload> offload = std::move(*Offload::create(*loop, {}));
  NoResumer resumer;
  InstanceServices services{*loop, *offload, stats, resumer};
  ServingPlan plan;
  ServingGroup group;
  ModuleEntry hello{"hello.so", std::string(SLUICE_TEST_PLUGINS) + "/hello.so", 1, "hello", "/hello/", false,
                    false};
  const ModuleEntry defer{
      "defer.so", std::string(SLUICE_TEST_MODULES) + "/defer.so", 1, "defer", "/defer/", false, false};
  LoadedFiles files;

  Fixture() {
    for (std::size_t i = 0; i < kMounts; ++i)
      plan.mounts.push_back({0, {prefix(i), "hello", {}, false, {}, {}}});
    plan.sites.resize(1);
    plan.sites.front().is_default = true;
  }
  ~Fixture() {
    files.clear();
    loop->turn(0);
    offload.reset();
    loop->turn(0);
  }
  void load(const ModuleEntry& entry) { files.emplace(entry.path, ModuleFile::load(entry.path, entry.file)); }
  std::unique_ptr<MountTable> begin(const MountTable* before = nullptr) {
    return MountTable::begin(services, plan, group, {defer, hello}, files, before, Unusable::left_out);
  }
  std::unique_ptr<MountTable> made(const MountTable* before = nullptr) {
    auto table = begin(before);
    const auto all = table->make_some(kMounts);
    REQUIRE((all && *all));
    return table;
  }
  static ModuleInstance* at(const MountTable& table, std::size_t mount) {
    Router router;
    table.fill(router);
    return router.find(0, prefix(mount)).instance;
  }
};

}  // namespace

TEST_CASE_METHOD(Fixture, "handlers are made in steps, those at default mounts last", "[mount_table]") {
  load(hello);
  load(defer);
  const auto table = begin();
  CHECK(table->mounts().empty());
  CHECK(*table->make_some(4) == false);
  CHECK(table->mounts().size() == 4);
  CHECK(*table->make_some(4) == false);
  CHECK(table->mounts().size() == 8);
  CHECK(*table->make_some(4) == true);
  REQUIRE(table->mounts().size() == kMounts + 1);
  CHECK(table->mounts().back().module == "defer");
  CHECK(table->problems().empty());
}

TEST_CASE_METHOD(Fixture, "handlers of unchanged modules are taken over", "[mount_table]") {
  load(hello);
  load(defer);
  const auto first = made();
  SECTION("the same copy") {
    const auto second = made(first.get());
    for (std::size_t i = 0; i < kMounts; ++i) CHECK(at(*second, i) == at(*first, i));
  }
  SECTION("another copy") {
    hello.path = std::string(SLUICE_TEST_PLUGINS) + "/./hello.so";
    load(hello);
    const auto second = made(first.get());
    for (std::size_t i = 0; i < kMounts; ++i) {
      REQUIRE(at(*second, i) != nullptr);
      CHECK(at(*second, i) != at(*first, i));
    }
  }
}

TEST_CASE_METHOD(Fixture, "no two modules answer at one prefix", "[mount_table]") {
  load(hello);
  load(defer);
  plan.mounts[7].spec.prefix = prefix(2);
  const auto all = begin()->make_some(kMounts);
  REQUIRE_FALSE(all);
  CHECK(all.error().message ==
        "module hello cannot answer at /mount2/, where hello answers already: mount one of them elsewhere");
}

TEST_CASE_METHOD(Fixture, "filters are made in their order, also two at one prefix, and taken over",
                 "[mount_table]") {
  const ModuleEntry filters{
      "filters.so", std::string(SLUICE_TEST_MODULES) + "/filters.so", 1, "filters", "", false, false};
  plan.mounts.clear();
  for (const char* place : {"/b/", "/", "/b/"}) {
    MountSpec spec{place, "filters", {}, false, {}, {}};
    spec.filter = true;
    plan.mounts.push_back({0, spec});
  }
  load(filters);
  const auto make = [&](const MountTable* before, Unusable unusable, ModuleEntry entry) {
    auto table = MountTable::begin(services, plan, group, {std::move(entry)}, files, before, unusable);
    const auto all = table->make_some(kMounts);
    REQUIRE((all && *all));
    return table;
  };
  const auto first = make(nullptr, Unusable::left_out, filters);
  Router router;
  first->fill(router);
  REQUIRE(router.filters(0).size() == 3);
  CHECK(router.filters(0)[0].prefix == "/b/");
  CHECK(router.filters(0)[1].prefix == "/");
  CHECK(router.filters(0)[0].instance.get() != router.filters(0)[2].instance.get());
  CHECK(router.find(0, "/b/").instance == nullptr);
  REQUIRE(first->mounts().size() == 3);
  CHECK(first->mounts().front().filter);
  SECTION("the same copy") {
    const auto second = make(first.get(), Unusable::left_out, filters);
    Router next;
    second->fill(next);
    for (std::size_t i = 0; i < 3; ++i)
      CHECK(next.filters(0)[i].instance.get() == router.filters(0)[i].instance.get());
  }
  SECTION("a module that is switched off leaves its places closed") {
    ModuleEntry closed = filters;
    closed.closed = true;
    files.clear();  // nobody loads it again
    const auto second = make(first.get(), Unusable::closed, closed);
    Router next;
    second->fill(next);
    REQUIRE(next.filters(0).size() == 3);
    CHECK_FALSE(next.filters(0)[1].instance);
  }
  router.clear();
}
