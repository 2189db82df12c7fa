// Which mount answers a path.
#include "module/router.h"

#include <catch2/catch.hpp>
#include <memory>
#include <string>

#ifdef __SANITIZE_ADDRESS__
// g++ does not install the header with this declaration.
extern "C" int __sanitizer_install_malloc_and_free_hooks(void (*allocated)(const volatile void*, std::size_t),
                                                         void (*freed)(const volatile void*));
#endif

using namespace sluice;

namespace {

struct NoResumer final : Resumer {
  void resume(Ticket, const ModuleInstance&) override {}
};

struct Fixture {
  WorkerStats stats;
  std::unique_ptr<EventLoop> loop = std::move(*EventLoop::create(stats));
  std::unique_ptr<Offload> offload = std::move(*Offload::create(*loop, {}));
  NoResumer resumer;
  InstanceServices services{*loop, *offload, stats, resumer};
  std::shared_ptr<ModuleFile> file = std::move(*ModuleFile::load(SLUICE_TEST_PLUGINS "/hello.so", "hello.so"));
  Router router;

  InstanceRef hello(const std::string& prefix) {
    return std::move(*ModuleInstance::create_mounted(services, file, InstanceRef(), {prefix, {}, -1, ""}));
  }
};

}  // namespace

TEST_CASE_METHOD(Fixture, "the longest mount prefix answers", "[router]") {
  REQUIRE(router.add(0, "/", hello("/")));
  REQUIRE(router.add(0, "/a/", hello("/a/")));
  REQUIRE(router.add(0, "/a/b/", hello("/a/b/")));
  CHECK_FALSE(router.add(0, "/a/", hello("/a/")));
  const auto mount_of = [this](std::string_view path) { return std::string(router.find(0, path).mount); };
  CHECK(mount_of("/") == "/");
  CHECK(mount_of("/x") == "/");
  CHECK(mount_of("/a/x") == "/a/");
  CHECK(mount_of("/ab/x") == "/");
  CHECK(mount_of("/a/b/c/d") == "/a/b/");
  CHECK(mount_of("/a/bc") == "/a/");
  CHECK(router.find(0, "/a").needs_slash);
  CHECK(router.find(0, "/a/b").needs_slash);
  CHECK(mount_of("/a/b") == "/a/b/");
  CHECK_FALSE(router.find(0, "/a/").needs_slash);
  router.clear();
  CHECK(router.find(0, "/a/x").instance == nullptr);
}

#ifdef __SANITIZE_ADDRESS__
TEST_CASE_METHOD(Fixture, "finding a mount allocates nothing", "[router]") {
  static thread_local std::size_t allocations = 0;
  static const int hooked = __sanitizer_install_malloc_and_free_hooks(
      [](const volatile void*, std::size_t) { ++allocations; }, [](const volatile void*) {});
  REQUIRE(hooked != 0);
  const std::string prefix = "/" + std::string(100, 'm') + "/";
  REQUIRE(router.add(0, "/", hello("/")));
  REQUIRE(router.add(0, prefix, hello(prefix)));
  const std::string without_slash = prefix.substr(0, prefix.size() - 1);
  const std::string another(50, '/');
  const std::size_t before = allocations;
  const bool needs_slash = router.find(0, without_slash).needs_slash;
  const bool plain = router.find(0, prefix).needs_slash || router.find(0, another).needs_slash;
  const bool shorter = router.find(0, std::string_view(without_slash).substr(0, 60)).needs_slash;
  CHECK(allocations == before);
  CHECK(needs_slash);
  CHECK_FALSE(plain);
  CHECK_FALSE(shorter);
}
#endif

TEST_CASE_METHOD(Fixture, "a closed mount is found as such, with its slash and without", "[router]") {
  REQUIRE(router.add(0, "/", hello("/")));
  REQUIRE(router.add(0, "/closed/", InstanceRef()));
  CHECK_FALSE(router.add(0, "/closed/", hello("/closed/")));
  CHECK(router.find(0, "/closed").closed);
  CHECK(router.find(0, "/closed/").closed);
  CHECK(router.find(0, "/closed/x/y").closed);
  CHECK_FALSE(router.find(0, "/closedx").closed);
  CHECK_FALSE(router.find(0, "/").needs_slash);
}

TEST_CASE_METHOD(Fixture, "each site has mounts of its own", "[router]") {
  REQUIRE(router.add(0, "/", hello("/")));
  REQUIRE(router.add(2, "/", hello("/")));
  REQUIRE(router.add(2, "/long/prefix/", hello("/long/prefix/")));
  CHECK(router.find(0, "/long/prefix/x").mount == "/");
  CHECK(router.find(2, "/long/prefix/x").mount == "/long/prefix/");
  CHECK(router.find(0, "/x").instance != router.find(2, "/x").instance);
  CHECK(router.find(1, "/x").instance == nullptr);
  CHECK(router.find(3, "/x").instance == nullptr);
}

TEST_CASE_METHOD(Fixture, "a thousand mounts are distinguished", "[router]") {
  for (int i = 0; i < 1000; ++i) {
    const std::string prefix = "/mount" + std::to_string(i) + "/";
    REQUIRE(router.add(0, prefix, hello(prefix)));
  }
  CHECK(router.find(0, "/mount999/x").mount == "/mount999/");
  CHECK(router.find(0, "/mount99/x").mount == "/mount99/");
  CHECK(router.find(0, "/mount1000/x").instance == nullptr);
}

TEST_CASE_METHOD(Fixture, "filters stand before the paths below their prefixes, in the order added",
                 "[router]") {
  router.add_filter(0, "/", InstanceRef());
  router.add_filter(0, "/a/b/", InstanceRef());
  router.add_filter(2, "/other/", InstanceRef());
  REQUIRE(router.filters(0).size() == 2);
  CHECK(router.filters(0)[0].prefix == "/");
  CHECK(router.filters(0)[0].covers("/anything"));
  const Router::FilterPlace& place = router.filters(0)[1];
  CHECK(place.covers("/a/b/"));
  CHECK(place.covers("/a/b/c"));
  CHECK(place.covers("/a/b"));
  CHECK_FALSE(place.covers("/a/bc"));
  CHECK_FALSE(place.covers("/a/"));
  CHECK_FALSE(place.covers("/A/b/"));
  CHECK(router.filters(1).empty());
  CHECK(router.filters(2).size() == 1);
  CHECK(router.filters(3).empty());
  router.clear();
  CHECK(router.filters(0).empty());
}
