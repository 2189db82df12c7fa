#include "settings/serving_plan.h"

#include <sched.h>
#include <sys/syscall.h>
#include <unistd.h>

#include <catch2/catch.hpp>
#include <cerrno>
#include <cstdlib>
#include <ctime>
#include <filesystem>
#include <fstream>
#include <optional>
#include <set>
#include <string>
#include <vector>

#include "base/child_process.h"
#include "base/landlock.h"
#include "settings/confined_places.h"
#include "support/refused_calls.h"

using namespace sluice;
namespace fs = std::filesystem;

namespace {

// Of the machine that sched_getaffinity() tells of; 0 for the real one.
std::size_t processors = 0;

struct Scratch {
  fs::path path;
  Scratch() {
    char folder[] = "/tmp/sluice-plan-XXXXXX";
    REQUIRE(::mkdtemp(folder) != nullptr);
    path = folder;
    fs::create_directories(path / "root/docs");
    fs::create_directories(path / "outside");
    std::ofstream(path / "root/file") << "no folder";
  }
  ~Scratch() { fs::remove_all(path); }

  Settings settings() const {
    Settings made;
    made.root = path / "root";
    made.user = "root";
    if (::geteuid() != 0) made.user.clear();
    return made;
  }
};

std::string why(const Settings& settings) {
  const auto plan = make_plan(settings);
  return plan ? std::string() : plan.error().message;
}

MountSpec mount(const std::string& prefix, const std::optional<std::string>& root) {
  return {prefix, "m", root, false, std::nullopt, {}};
}

}  // namespace

// Stands in for the C library's, as the kernel of a machine with that many processors.
extern "C" int sched_getaffinity(pid_t pid, std::size_t size, cpu_set_t* set) noexcept {
  if (processors == 0) {
    const long got = ::syscall(SYS_sched_getaffinity, pid, size, set);
    return got < 0 ? -1 : 0;
  }
  if (size * 8 < processors) {
    errno = EINVAL;
    return -1;
  }
  for (std::size_t i = 0; i < processors; ++i) CPU_SET_S(i, size, set);
  return 0;
}

TEST_CASE("a worker is planned for each processor, also of a large machine", "[serving_plan]") {
  const Scratch scratch;
  const std::size_t count = GENERATE(1UL, 200UL, 1024UL, 1025UL, 4096UL);
  processors = count;
  const auto plan = make_plan(scratch.settings());
  processors = 0;
  REQUIRE(plan);
  CHECK((*plan)->groups.front().workers == std::min<std::size_t>(count, 256));
}

TEST_CASE("a plan opens the root and each mount's folder, or says what is wrong", "[serving_plan]") {
  const Scratch scratch;
  Settings settings = scratch.settings();
  CHECK(why(settings).empty());
  settings.root = scratch.path / "nowhere";
  CHECK(why(settings).find("does not exist: make it, or name another one with --root") != std::string::npos);
  settings.root = scratch.path / "root/file";
  CHECK(why(settings).find("is not a folder") != std::string::npos);
  settings = scratch.settings();
  settings.user = "nobody-has-this-name";
  CHECK(why(settings).find("nobody-has-this-name") != std::string::npos);
  settings = scratch.settings();
  settings.mounts = {mount("/a/", "nowhere")};
  CHECK(why(settings).find("the folder of the mount /a/,") == 0);
  settings.mounts = {mount("/a/", "../outside")};
  CHECK(why(settings).find("lies outside the root of its site: write it as an absolute path") !=
        std::string::npos);
}

TEST_CASE("certificates and addresses with TLS need each other", "[serving_plan]") {
  const Scratch scratch;
  Settings settings = scratch.settings();
  settings.certificates.emplace_back(kSelfSigned);
  settings.listen.push_back(*parse_listen("127.0.0.1:0"));
  CHECK_THAT(why(settings), Catch::Matchers::Contains("no address uses it"));
  settings.ticket_keys_file = "keys";
  CHECK_THAT(why(settings), Catch::Matchers::Contains("--ticket-keys is given, but no address uses it"));
  settings.ticket_keys_file.clear();
  settings.listen.push_back(*parse_listen("https://127.0.0.1:0"));
  const auto plan = make_plan(settings);
  REQUIRE(plan);
  const auto after = make_plan(settings, plan->get());
  REQUIRE(after);
  CHECK((*after)->ticket_keys == (*plan)->ticket_keys);
  CHECK((*after)->certificates[0].chain == (*plan)->certificates[0].chain);
  // One that ends soon is replaced.
  ServingPlan old;
  old.certificates = (*plan)->certificates;
  old.certificates[0].renew_at_s = std::time(nullptr);
  const auto renewed = make_plan(settings, &old);
  REQUIRE(renewed);
  CHECK((*renewed)->certificates[0].chain != old.certificates[0].chain);
  settings.ticket_keys_file = scratch.path / "none";
  CHECK_THAT(why(settings), Catch::Matchers::Contains("the file of ticket keys "));
  settings.ticket_keys_file.clear();
  settings.keys.emplace_back("a.key");
  CHECK_THAT(why(settings), Catch::Matchers::Contains("the key a.key has no certificate"));
  settings.keys.clear();
  settings.certificates = {"a.pem"};
  CHECK_THAT(why(settings), Catch::Matchers::Contains("the certificate a.pem has no key"));
  settings.certificates.clear();
  CHECK_THAT(why(settings), Catch::Matchers::Contains("needs a certificate"));
}

TEST_CASE("required client certificates cannot be passed by in clear text", "[serving_plan]") {
  const Scratch scratch;
  std::ofstream(scratch.path / "ca.pem") << "signers";
  Settings settings = scratch.settings();
  settings.certificates.emplace_back(kSelfSigned);
  settings.client_certificates = ClientCertificates::required;
  settings.client_ca = scratch.path / "ca.pem";
  settings.listen = {*parse_listen("https://127.0.0.1:0")};
  CHECK(why(settings).empty());
  settings.listen.push_back(*parse_listen("127.0.0.1:0"));
  CHECK_THAT(why(settings), Catch::Matchers::Contains("also answers in clear text"));
  settings.redirect = Redirect::https;
  CHECK(why(settings).empty());
  settings.listen.push_back(*parse_listen("unix:/tmp/sluice-plan.sock"));
  CHECK_THAT(why(settings), Catch::Matchers::Contains("also answers in clear text"));
  settings.listen.pop_back();
  settings.mounts = {mount("/a/", "docs")};
  settings.mounts[0].isolate = true;
  settings.mounts[0].listen = *parse_listen("127.0.0.1:0");
  CHECK_THAT(why(settings), Catch::Matchers::Contains("also answers in clear text"));
}

TEST_CASE("an isolated mount with TLS needs a certificate as a site does", "[serving_plan]") {
  const Scratch scratch;
  Settings settings = scratch.settings();
  settings.listen = {*parse_listen("127.0.0.1:0")};
  settings.mounts = {mount("/a/", "docs")};
  settings.mounts[0].isolate = true;
  settings.mounts[0].listen = *parse_listen("https://127.0.0.1:0");
  CHECK_THAT(why(settings), Catch::Matchers::Contains("needs a certificate"));
  settings.certificates.emplace_back(kSelfSigned);
  const auto plan = make_plan(settings);
  REQUIRE(plan);
  CHECK((*plan)->sites[0].certificates.size() == 1);
  CHECK((*plan)->ticket_keys != nullptr);
}

TEST_CASE("a folder inside the root is confined to the root, a folder outside to itself", "[serving_plan]") {
  const Scratch scratch;
  Settings settings = scratch.settings();
  const std::string inside = scratch.path / "root/docs";
  const std::string outside = scratch.path / "outside";
  settings.mounts = {mount("/static/", std::nullopt), mount("/a/", "docs"), mount("/b/", inside),
                     mount("/c/", outside), mount("/", ".")};
  const auto plan = std::move(*make_plan(settings));
  std::vector<MountFolder> folders;
  for (const SiteMount& one : plan->mounts) folders.push_back(one.folder);
  REQUIRE(folders.size() == 5);
  CHECK(folders[0].path == "static/");
  CHECK(folders[1].path == "docs/");
  CHECK(folders[2].path == "docs/");
  CHECK(folders[3].path.empty());
  CHECK(folders[4].path.empty());
  CHECK(folders[3].fd != plan->sites[0].root.get());
  for (const std::size_t i : {0U, 1U, 2U, 4U}) CHECK(folders[i].fd == plan->sites[0].root.get());
}

TEST_CASE("places are watched where Landlock confines workers to them", "[serving_plan]") {
  const Scratch scratch;
  ServingPlan plan;
  plan.settings = scratch.settings();
  Grant grant;
  grant.module = "m";
  grant.permissions.read.push_back(scratch.path / "outside");
  plan.settings.grants.push_back(grant);
  CHECK(confined_paths(plan).empty() == (landlock_version() == 0));
  plan.settings.confine = Confine::off;
  CHECK(confined_paths(plan).empty());
  plan.settings.confine = Confine::automatic;
  const auto without_landlock = run_in_child(
      [&] {
        if (!test::refuse_calls({SYS_landlock_create_ruleset}, ENOSYS)) return std::string("no filter");
        return std::to_string(confined_paths(plan).size());
      },
      10'000);
  REQUIRE(without_landlock);
  CHECK(*without_landlock == "0");
}

TEST_CASE("files that options name can be read, and their folders only if a slash is in the name",
          "[serving_plan]") {
  const Scratch scratch;
  const std::string folder = fs::canonical(scratch.path);
  std::ofstream(folder + "/script.lua") << "return 1";
  const auto named = [](const std::string& value) {
    MountSpec spec;
    spec.options = {{"limit", "10"}, {"script", value}};
    return named_folders(spec);
  };
  CHECK(named(folder + "/script.lua") == std::set<std::string>{folder});
  CHECK(named(folder).empty());
  CHECK(named("none.lua").empty());
  const auto in_the_folder = run_in_child(
      [&] {
        fs::current_path(folder);
        const auto alone = named("script.lua");
        return std::to_string(alone.size()) + *alone.begin() +
               std::to_string(named("./script.lua").count(folder));
      },
      10'000);
  REQUIRE(in_the_folder);
  CHECK(*in_the_folder == "1" + folder + "/script.lua1");
}
