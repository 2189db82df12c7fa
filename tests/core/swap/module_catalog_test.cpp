// What the supervisor knows of modules: the generation that serves, the last good one, and the results of
// faults.
#include "swap/module_catalog.h"

#include <sys/socket.h>
#include <unistd.h>

#include <catch2/catch.hpp>
#include <string>

#include "support/temp_folder.h"
#include "worker/worker_message.h"

using namespace sluice;
using sluice::test::TempFolder;

namespace {

constexpr ModulePolicy kCare{150, 10'000, 2, 1'000, 5'000};

struct Fixture {
  TempFolder folder;
  std::unique_ptr<ModuleStore> store = std::move(*ModuleStore::create());
  ModuleCatalog catalog;

  Generation next(const std::string& file, const std::string& name) {
    folder.write(file, name);
    ModuleCopyPtr copy = std::move(*store->copy(folder.path, file));
    ModuleEntry entry{file, copy->path(), copy->generation(), name, "/" + name + "/", false, false};
    return {entry, std::move(copy)};
  }
  ModuleEntry entry(const std::string& file) { return catalog.find(file)->serving.entry; }
};

}  // namespace

TEST_CASE_METHOD(Fixture, "the set is sorted by file, and a trial loads one module alone", "[module_catalog]") {
  catalog.take(next("b.so", "b"), 0, kCare);
  catalog.take(next("a.so", "a"), 0, kCare);
  REQUIRE(catalog.set().size() == 2);
  CHECK(catalog.set()[0].file == "a.so");
  const Generation changed = next("b.so", "b");
  const ModuleSet trial = catalog.trial_set("b.so", *changed.copy);
  REQUIRE(trial.size() == 2);
  CHECK(trial[0].closed);
  CHECK(trial[0].name == "a");
  CHECK_FALSE(trial[1].closed);
  CHECK(trial[1].name.empty());
  CHECK(trial[1].path == changed.copy->path());
  CHECK(catalog.set_with(changed.entry)[1].generation == 2);
  CHECK(entry("b.so").generation == 1);
}

TEST_CASE_METHOD(Fixture, "faults within the window close a module that has no last good generation",
                 "[module_catalog]") {
  catalog.take(next("a.so", "a"), 0, kCare);
  CHECK(catalog.fault("b", 1, 0, kCare) == Verdict::unknown);
  CHECK(catalog.fault("a", 7, 0, kCare) == Verdict::unknown);
  CHECK(catalog.fault("a", 1, 0, kCare) == Verdict::counted);
  CHECK(catalog.fault("a", 1, 1'000, kCare) == Verdict::counted);  // the first fault was too long ago
  CHECK(catalog.fault("a", 1, 1'999, kCare) == Verdict::close);
  catalog.close("a.so");
  CHECK(entry("a.so").closed);
  CHECK(catalog.fault("a", 1, 2'000, kCare) == Verdict::unknown);
  catalog.take(next("a.so", "a"), 2'000, kCare);
  CHECK_FALSE(entry("a.so").closed);
}

TEST_CASE_METHOD(Fixture, "a module goes back to the generation that was good, once", "[module_catalog]") {
  catalog.take(next("a.so", "a"), 0, kCare);
  catalog.take(next("a.so", "a"), 0, kCare);
  catalog.fault("a", 2, 10, kCare);
  catalog.take(next("a.so", "a"), 20, kCare);  // generation 2 was not good
  catalog.fault("a", 3, 30, kCare);
  REQUIRE(catalog.fault("a", 3, 40, kCare) == Verdict::go_back);
  const FileStamp given_up = catalog.find("a.so")->taken;
  catalog.suspend("a.so");
  CHECK(entry("a.so").closed);
  Generation good = *catalog.find("a.so")->last_good;
  const ModuleCopyPtr again = good.copy = store->begin_copy(*good.copy, "a.so")->copy;
  good.entry.path = again->path();
  catalog.take(std::move(good), 45, kCare);
  CHECK(entry("a.so").generation == 1);
  CHECK_FALSE(entry("a.so").closed);
  CHECK(entry("a.so").path == again->path());
  CHECK(catalog.find("a.so")->taken == given_up);
  catalog.fault("a", 1, 50, kCare);
  CHECK(catalog.fault("a", 1, 60, kCare) == Verdict::close);
}

TEST_CASE_METHOD(Fixture, "a removed module is forgotten, or kept for the mounts that name it",
                 "[module_catalog]") {
  catalog.take(next("a.so", "a"), 0, kCare);
  catalog.take(next("b.so", "b"), 0, kCare);
  catalog.remove("a.so", true);
  catalog.remove("b.so", false);
  REQUIRE(catalog.set().size() == 1);
  CHECK(entry("a.so").removed);
  CHECK(catalog.files().empty());
  CHECK(catalog.find_name("b") == nullptr);
}

TEST_CASE_METHOD(Fixture, "a removed module gives way to another file of its name", "[module_catalog]") {
  catalog.take(next("a.so", "a"), 0, kCare);
  catalog.remove("a.so", true);
  const Generation other = next("a-2.so", "a");
  CHECK(catalog.set_with(other.entry) == ModuleSet{other.entry});
  catalog.take(other, 0, kCare);
  CHECK(catalog.set() == ModuleSet{other.entry});
}

TEST_CASE_METHOD(Fixture, "a trial's results do not undo decisions made during the trial", "[module_catalog]") {
  for (const char* name : {"a", "b", "c", "d"}) {
    Generation unnamed = next(std::string(name) + ".so", name);
    unnamed.entry.name.clear();
    catalog.take(std::move(unnamed), 0, kCare);
  }
  const ModuleSet tried = catalog.set();
  TrialReport report;
  report.modules = tried;
  for (ModuleEntry& known : report.modules) known.name = known.file.substr(0, 1);
  report.modules.pop_back();
  report.problems = {{"c.so", "broken"}, {"d.so", "broken"}};
  catalog.close("a.so");
  catalog.take(next("b.so", "newer"), 0, kCare);
  catalog.take(next("c.so", "c"), 0, kCare);
  catalog.learn(report, tried);
  CHECK(entry("a.so").closed);
  CHECK(entry("a.so").name == "a");
  CHECK(entry("b.so").name == "newer");
  CHECK(entry("b.so").generation == 2);
  CHECK(entry("c.so").generation == 2);  // the broken file is gone
  CHECK(catalog.find("d.so") == nullptr);
}

TEST_CASE("a set of modules is encoded for another process, and decoded", "[module_set]") {
  const ModuleSet set{{"a.so", "/p/a.1.so", 3, "a:b", "/a/", true, false},
                      {"b.so", "/p/b.2.so", 1, "", "", false, true}};
  CHECK(decode_modules(encode_modules(set)) == set);
  CHECK(decode_modules("").empty());
  CHECK(decode_modules("9:short").size() == 1);  // broken, but bounded
}

TEST_CASE("messages arrive whole, in order, with their descriptors", "[worker_message]") {
  int ends[2];
  REQUIRE(::socketpair(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC | SOCK_NONBLOCK, 0, ends) == 0);
  const UniqueFd one(ends[0]);
  UniqueFd other(ends[1]);
  WorkerMessage message;
  CHECK(receive_message(one.get(), message) == Heard::nothing);
  const std::string large(100'000, 'x');
  CHECK(send_message(other.get(), {ControlMessage::prepare, 7, large}));
  CHECK(send_message(other.get(), {ControlMessage::help, 8}, STDERR_FILENO));
  REQUIRE(receive_message(one.get(), message) == Heard::message);
  CHECK(message.kind == ControlMessage::prepare);
  CHECK(message.number == 7);
  CHECK((message.text == large));
  CHECK_FALSE(message.fd);
  REQUIRE(receive_message(one.get(), message) == Heard::message);
  CHECK(message.kind == ControlMessage::help);
  CHECK(message.text.empty());
  CHECK(message.fd);
  CHECK_FALSE(send_message(other.get(), {ControlMessage::prepare, 9, std::string(8'000'000, 'x')}));
  other.reset();
  CHECK(receive_message(one.get(), message) == Heard::gone);
  CHECK_FALSE(send_message(one.get(), {ControlMessage::stop}));
}
