// Changed certificates are noticed in whatever way their files are changed, and refused ones are told of once.
#include "server/named_files_watch.h"

#include <sys/mman.h>
#include <sys/wait.h>
#include <unistd.h>

#include <catch2/catch.hpp>
#include <filesystem>
#include <functional>
#include <string>

#include "base/log.h"
#include "settings/confinement_support.h"
#include "settings/ticket_key_file.h"
#include "support/hanging_disk.h"
#include "support/temp_folder.h"

using namespace sluice;
using Catch::Matchers::Contains;
using sluice::test::TempFolder;
namespace fs = std::filesystem;

namespace {

constexpr std::uint32_t kHourMs = 3'600'000;

struct Fixture {
  TempFolder folder;
  WorkerStats stats;
  std::unique_ptr<EventLoop> loop = std::move(*EventLoop::create(stats));
  const UniqueFd log_file{::memfd_create("log", MFD_CLOEXEC)};
  int asked = 0;
  int looks = 0;
  std::unique_ptr<NamedFilesWatch> watch = make({10, kHourMs, kHourMs});
  std::string chain = folder / "tls.crt";
  std::string key = folder / "tls.key";
  std::string tickets;
  std::string signers;
  std::string error_pages;
  std::string granted;  // a folder

  Fixture() { set_log_fd(log_file.get()); }
  ~Fixture() { set_log_fd(STDERR_FILENO); }

  std::unique_ptr<NamedFilesWatch> make(NamedFilesWatch::Pace pace) {
    return std::make_unique<NamedFilesWatch>(*loop, NamedFilesWatch::Actions{[] {}, [this] { ++asked; }}, pace);
  }
  void write_pair(const std::string& in, const std::string& text) const {
    folder.write(in + "tls.crt", "chain " + text);
    folder.write(in + "tls.key", "key " + text);
  }
  PlanPtr plan() const {
    auto plan = std::make_shared<ServingPlan>();
    plan->certificates.push_back(std::move(*read_certificate({chain, key})));
    plan->settings.ticket_keys_file = tickets;
    SitePlan& site = plan->sites.emplace_back();
    site.settings.client_ca = signers;
    if (!signers.empty()) site.client_ca = *read_client_ca(signers);
    site.settings.error_pages = error_pages;
    if (!error_pages.empty()) site.error_pages = *ErrorPages::read(error_pages);
    if (!tickets.empty()) plan->ticket_keys = std::move(*plan_ticket_keys(tickets, nullptr));
    if (granted.empty()) return plan;
    plan->settings.grants.push_back({"hello", {0, {granted}, {}, {}}});
    for (const std::string& path : confined_paths(*plan)) plan->places.push_back(open_place(path));
    return plan;
  }
  // Whether places are looked at.
  bool watches_places() {
    if (files_are_confined(Settings{})) return true;
    WARN("there is no Landlock here, so no places are watched");
    return false;
  }
  void turn_until(const std::function<bool()>& done) {
    while (!done()) {
      loop->turn(10);
      int status = 0;
      const pid_t ended = ::waitpid(-1, &status, WNOHANG);
      if (ended > 0 && watch->child_ended(ended, status)) ++looks;
    }
  }
  void wait_for_look() {
    turn_until([this, before = looks] { return looks > before; });
  }
  // The first look finds the folders, and the second one whether anything changed before they were watched.
  void serve(const PlanPtr& plan) {
    watch->serve(plan);
    turn_until([this, before = looks] { return looks >= before + 2; });
  }
  void serve() { serve(plan()); }
  bool notices() {
    turn_until([this] { return watch->asks(); });
    return asked == 1;
  }
  std::string logged() const {
    std::string text(64 * 1024, '\0');
    const ssize_t got = ::pread(log_file.get(), text.data(), text.size(), 0);
    text.resize(got > 0 ? static_cast<std::size_t>(got) : 0);
    return text;
  }
};

}  // namespace

TEST_CASE_METHOD(Fixture, "a file that is written or renamed over another is noticed", "[named_files_watch]") {
  write_pair("", "one");
  serve();
  CHECK(asked == 0);
  SECTION("written in place") {
    folder.write("tls.crt", "chain two");
  }
  SECTION("renamed") {
    folder.write("new", "key two");
    fs::rename(folder / "new", key);
  }
  SECTION("a symbolic link in its place") {
    folder.write("new", "key two");
    fs::remove(key);
    fs::create_symlink("new", key);
  }
  CHECK(notices());
}

TEST_CASE_METHOD(Fixture, "files with the same contents are no change", "[named_files_watch]") {
  write_pair("", "one");
  serve();
  write_pair("new", "one");
  fs::rename(folder / "newtls.key", key);
  wait_for_look();
  CHECK(asked == 0);
}

TEST_CASE_METHOD(Fixture, "links are followed wherever they are on the path", "[named_files_watch]") {
  fs::create_directories(folder / "v1");
  fs::create_directories(folder / "v2");
  write_pair("v1/", "one");
  write_pair("v2/", "two");
  SECTION("as Kubernetes mounts secrets") {
    fs::create_symlink("v1", folder / "..data");
    fs::create_symlink("..data/tls.crt", chain);
    fs::create_symlink("..data/tls.key", key);
    serve();
    fs::create_symlink("v2", folder / "..tmp");
    fs::rename(folder / "..tmp", folder / "..data");
    fs::remove_all(folder / "v1");
  }
  SECTION("as certbot keeps its archive") {
    fs::create_directories(folder / "live");
    chain = folder / "live/tls.crt";
    key = folder / "live/tls.key";
    fs::create_symlink("../v1/tls.crt", chain);
    fs::create_symlink("../v1/tls.key", key);
    serve();
    for (const std::string& name : {chain, key}) {
      fs::create_symlink("../v2/" + fs::path(name).filename().string(), name + ".new");
      fs::rename(name + ".new", name);
    }
  }
  SECTION("a folder's name is a link") {
    fs::create_directory_symlink(folder / "v1", folder / "current");
    chain = folder / "current/tls.crt";
    key = folder / "current/tls.key";
    serve();
    fs::create_directory_symlink(folder / "v2", folder / "next");
    fs::rename(folder / "next", folder / "current");
  }
  CHECK(notices());
  // The new place is watched as well.
  asked = 0;
  watch->serve(plan());
  wait_for_look();
  folder.write("v2/tls.crt", "chain three");
  CHECK(notices());
}

TEST_CASE_METHOD(Fixture, "a folder that is removed and made again is found again", "[named_files_watch]") {
  fs::create_directories(folder / "a/b");
  chain = folder / "a/b/tls.crt";
  key = folder / "a/b/tls.key";
  write_pair("a/b/", "one");
  serve();
  fs::remove_all(folder / "a");
  wait_for_look();
  CHECK(asked == 0);
  fs::create_directories(folder / "a/b");
  write_pair("a/b/", "two");
  CHECK(notices());
}

TEST_CASE_METHOD(Fixture, "what the kernel does not report is seen by and by", "[named_files_watch]") {
  watch = make({10, 20, kHourMs});
  write_pair("", "one");
  fs::create_directories(folder / "elsewhere");
  fs::create_hard_link(chain, folder / "elsewhere/name");
  serve();
  folder.write("elsewhere/name", "chain two");
  CHECK(notices());
}

TEST_CASE_METHOD(Fixture, "keys of tickets are watched as well", "[named_files_watch]") {
  write_pair("", "one");
  tickets = folder / "tickets";
  folder.write("tickets", std::string(80, 'a'));
  serve();
  CHECK(asked == 0);
  folder.write("tickets", std::string(80, 'b') + std::string(80, 'a'));
  CHECK(notices());
}

TEST_CASE_METHOD(Fixture, "those who sign clients' certificates are watched as well", "[named_files_watch]") {
  write_pair("", "one");
  signers = folder / "signers.pem";
  folder.write("signers.pem", "one");
  serve();
  CHECK(asked == 0);
  folder.write("signers.pem", "two");
  CHECK(notices());
}

TEST_CASE_METHOD(Fixture, "error pages are watched as well", "[named_files_watch]") {
  write_pair("", "one");
  fs::create_directories(folder / "errors");
  folder.write("errors/404.html", "not here");
  folder.write("errors/500.html", "broken");
  fs::create_directories(folder / "pages");
  folder.write("pages/busy.html", "busy");
  fs::create_symlink("../pages/busy.html", folder / "errors/503.html");
  error_pages = folder / "errors";
  serve();
  CHECK(asked == 0);
  SECTION("the file to which one links changes") {
    folder.write("pages/busy.html", "come back");
  }
  SECTION("one changes") {
    folder.write("errors/404.html", "gone");
  }
  SECTION("one comes") {
    folder.write("errors/403.html", "closed");
  }
  SECTION("one goes") {
    fs::remove(folder / "errors/500.html");
  }
  SECTION("two change places") {
    fs::rename(folder / "errors/404.html", folder / "errors/next");
    fs::rename(folder / "errors/500.html", folder / "errors/404.html");
    fs::rename(folder / "errors/next", folder / "errors/500.html");
  }
  CHECK(notices());
}

TEST_CASE_METHOD(Fixture, "refused contents are told of once, and not tried again", "[named_files_watch]") {
  watch = make({10, kHourMs, 30});
  write_pair("", "one");
  serve();
  folder.write("tls.crt", "chain two");
  REQUIRE(notices());
  watch->reload_begins();
  watch->refused("they do not match");
  turn_until([this] { return !logged().empty(); });
  CHECK_THAT(logged(), Contains("not taken, and those before them serve on: they do not match\n"));
  const std::string once = logged();
  folder.write("tls.crt", "chain two");
  wait_for_look();
  CHECK(asked == 1);
  CHECK(logged() == once);
  folder.write("tls.key", "key two");
  turn_until([this] { return watch->asks(); });
  CHECK(asked == 2);
}

TEST_CASE_METHOD(Fixture, "a renewal that was half written is not complained about", "[named_files_watch]") {
  write_pair("", "one");
  const PlanPtr before = plan();
  serve(before);
  folder.write("tls.crt", "chain two");
  REQUIRE(notices());
  watch->refused("they do not match");
  SECTION("when it is complete") {
    folder.write("tls.key", "key two");
    turn_until([this] { return watch->asks(); });
    CHECK(asked == 2);
    watch->serve(plan());
    wait_for_look();
  }
  SECTION("when it is taken back") {
    folder.write("tls.crt", "chain one");
    wait_for_look();
    CHECK(asked == 1);
  }
  CHECK(logged().empty());
}

TEST_CASE_METHOD(Fixture, "a change is asked for again when other settings were refused",
                 "[named_files_watch]") {
  write_pair("", "one");
  serve();
  folder.write("tls.crt", "chain two");
  REQUIRE(notices());
  watch->reload_begins();
  watch->refused("");
  turn_until([this] { return watch->asks(); });
  CHECK(asked == 2);
}

TEST_CASE_METHOD(Fixture, "a file that is missing is told of, and looked for", "[named_files_watch]") {
  watch = make({10, kHourMs, 30});
  write_pair("", "one");
  serve();
  fs::remove(key);
  turn_until([this] { return !logged().empty(); });
  CHECK(asked == 0);
  CHECK_THAT(logged(), Contains("serve on: the private key " + key + " cannot be read"));
  folder.write("tls.key", "key two");
  CHECK(notices());
}

TEST_CASE_METHOD(Fixture, "a change during a reload is looked at afterwards", "[named_files_watch]") {
  write_pair("", "one");
  const PlanPtr before = plan();
  serve(before);
  watch->reload_begins();
  const int looked = looks;
  folder.write("tls.crt", "chain two");
  for (int i = 0; i < 5; ++i) loop->turn(10);
  CHECK(looks == looked);
  SECTION("that was refused") {
    watch->refused("of another reason");
  }
  SECTION("that succeeded") {
    watch->serve(before);
  }
  CHECK(notices());
}

TEST_CASE_METHOD(Fixture, "what was refused is tried again at last, and told of once", "[named_files_watch]") {
  watch = make({10, 20, 0});
  write_pair("", "one");
  serve();
  folder.write("tls.crt", "chain two");
  for (int i = 1; i <= 2; ++i) {
    turn_until([this] { return watch->asks(); });
    CHECK(asked == i);
    watch->reload_begins();
    watch->refused("a folder does not answer");
    turn_until([this] { return !logged().empty(); });
  }
  CHECK(logged().find("does not answer") == logged().rfind("does not answer"));
}

TEST_CASE_METHOD(Fixture, "a place that hangs keeps no certificate from being renewed", "[named_files_watch]") {
  if (!watches_places()) return;
  granted = folder / "disk";
  fs::create_directories(granted);
  test::HangingDisk disk(granted, "a");
  if (!disk.mounted()) {
    WARN("no FUSE can be mounted here");
    return;
  }
  write_pair("", "one");
  const PlanPtr before = plan();
  disk.hang();
  watch->serve(before);
  turn_until([&] { return disk.unanswered() > 0 && looks > 0; });
  CHECK(asked == 0);
  folder.write("tls.crt", "chain two");
  CHECK(notices());
  disk.end();
}

TEST_CASE_METHOD(Fixture, "a place that goes on to differ is asked for in growing pauses",
                 "[named_files_watch]") {
  if (!watches_places()) return;
  granted = folder / "granted";
  fs::create_directories(granted);
  write_pair("", "one");
  const PlanPtr before = plan();
  fs::rename(granted, folder / "former");
  fs::create_directories(granted);
  SECTION("the first time at once, and then after a while") {
    watch = make({10, kHourMs, kHourMs, 20});
    for (int i = 1; i <= 4; ++i) {
      watch->serve(before);
      turn_until([&] { return asked == i; });
    }
    CHECK_THAT(logged(), Contains(granted + " was replaced: new workers take over"));
  }
  SECTION("not again before that") {
    watch = make({10, kHourMs, kHourMs, kHourMs});
    watch->serve(before);
    turn_until([&] { return asked == 1; });
    watch->reload_begins();
    watch->serve(before);
    turn_until([&, both = looks + 2] { return looks >= both; });
    CHECK(asked == 1);
  }
}
