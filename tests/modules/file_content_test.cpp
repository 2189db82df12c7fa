// What both file modules promise: the content is whole, in order and of one file, whatever the client, the
// disk and other writers do.
#include <catch2/catch.hpp>

#include "support/module_rig.h"
#include "support/temp_folder.h"

using sluice::Method;
using sluice::test::Answer;
using sluice::test::FakeExchange;
using sluice::test::ModuleRig;
using sluice::test::pattern;
using sluice::test::RequestPlan;
using sluice::test::SinkPlan;
using sluice::test::TempFolder;

namespace {

constexpr std::size_t kSize = 3 * 1024 * 1024 + 4321;

struct Site {
  std::string module = GENERATE("static_sendfile", "dynamic_aio");
  TempFolder folder;
  ModuleRig rig{SLUICE_TEST_PLUGINS "/" + module + ".so"};
  const std::string content = pattern(kSize);

  Site() {
    folder.write("file", content);
    rig.mount(folder.path);
  }

  Answer start(const SinkPlan& sink = {}, const std::string& path = "file") {
    RequestPlan plan;
    plan.path = path;
    plan.sink = sink;
    return rig.start(std::move(plan));
  }
  void finish(const Answer& answer) {
    REQUIRE(rig.server.run_until([&] { return answer->ended(); }, 30'000));
  }
  // Compares without CHECK, which would put megabytes into a message.
  bool is_whole(const Answer& answer, const std::string& expected) {
    return answer->complete && answer->declared == expected.size() && answer->content == expected &&
           answer->cold_sends == 0;
  }
  bool get_is_whole(const SinkPlan& sink = {}) {
    const Answer answer = start(sink);
    finish(answer);
    return is_whole(answer, content);
  }
};

}  // namespace

TEST_CASE_METHOD(Site, "a cached file arrives whole, without waiting", "[content]") {
  const Answer answer = start();
  finish(answer);
  CHECK(is_whole(answer, content));
  CHECK(answer->parks == 0);
  CHECK(rig.server.works_offered == 0);
}

TEST_CASE_METHOD(Site, "clients of every speed get the whole file", "[content]") {
  CHECK(get_is_whole({.room = 1000}));
  CHECK(get_is_whole({.room = 256 * 1024, .socket = {0, 1, 4095, 4096, 4097, 100'000}}));
  CHECK(get_is_whole({.room = 70'000, .no_send_file = true}));
  folder.write("small", pattern(9000));
  const Answer byte_by_byte = start({.room = 1}, "small");
  finish(byte_by_byte);
  CHECK(is_whole(byte_by_byte, pattern(9000)));
}

TEST_CASE_METHOD(Site, "a cold file arrives whole, and the loop never waits for it", "[content]") {
  for (const SinkPlan& sink : {SinkPlan{}, SinkPlan{.room = 10'000}, SinkPlan{.socket = {0, 5000, 300'000}},
                               SinkPlan{.no_send_file = true}}) {
    if (!folder.make_cold("file")) return;
    const Answer answer = start(sink);
    finish(answer);
    CHECK(is_whole(answer, content));
    CHECK(answer->parks > 0);
  }
}

TEST_CASE_METHOD(Site, "files of all sizes around a page and a window arrive whole", "[content]") {
  for (const unsigned size :
       {8193U, 12287U, 12288U, 12289U, 262143U, 262144U, 262145U, 266240U, 524288U, 524289U}) {
    CAPTURE(size);
    const std::string expected = pattern(size, size);
    folder.write("sized", expected);
    folder.make_cold("sized");
    const Answer answer = start({}, "sized");
    finish(answer);
    CHECK(is_whole(answer, expected));
  }
}

TEST_CASE_METHOD(Site, "a file that is half in memory and half dirty arrives whole", "[content]") {
  folder.make_cold("file");
  std::string expected = content;
  for (std::size_t at = 100'000; at + 50'000 < kSize; at += 500'000) {
    const std::string fresh = pattern(50'000, at);
    folder.overwrite("file", fresh, at);
    expected.replace(at, fresh.size(), fresh);
  }
  const Answer answer = start();
  finish(answer);
  CHECK(is_whole(answer, expected));
}

TEST_CASE_METHOD(Site, "a file in many pieces with holes between arrives whole", "[content]") {
  std::string expected = content;
  const int fd = open((folder / "file").c_str(), O_RDWR | O_CLOEXEC);
  for (std::size_t at = 4096; at + 4096 < kSize; at += 8192) {
    REQUIRE(fallocate(fd, FALLOC_FL_PUNCH_HOLE | FALLOC_FL_KEEP_SIZE, static_cast<off_t>(at), 4096) == 0);
    expected.replace(at, 4096, 4096, '\0');
  }
  close(fd);
  folder.make_cold("file");
  const Answer answer = start();
  finish(answer);
  CHECK(is_whole(answer, expected));
}

TEST_CASE_METHOD(Site, "many cold files at once arrive whole", "[content]") {
  std::vector<Answer> answers;
  for (int i = 0; i < 40; ++i) {
    const std::string name = "cold" + std::to_string(i);
    folder.write(name, pattern(1'000'000, static_cast<std::uint64_t>(i)));
    folder.make_cold(name);
    answers.push_back(start({.room = 200'000}, name));
  }
  for (std::size_t i = 0; i < answers.size(); ++i) {
    finish(answers[i]);
    CHECK(is_whole(answers[i], pattern(1'000'000, i)));
  }
}

TEST_CASE_METHOD(Site, "clients that stand still do not starve the others", "[content]") {
  std::vector<Answer> still;
  // Some take a byte now and then, others nothing more.
  for (int i = 0; i < 50; ++i) still.push_back(start({.socket = {1, 0, 0}, .no_send_file = true}));
  for (int i = 0; i < 50; ++i) still.push_back(start({.stands_still_at = 1, .no_send_file = true}));
  for (int i = 0; i < 10; ++i) rig.server.turn();
  CHECK(get_is_whole({.no_send_file = true}));
  folder.make_cold("file");
  CHECK(get_is_whole({.no_send_file = true}));
  still.clear();
}

TEST_CASE_METHOD(Site, "a file that shrinks while it is sent cuts the answer", "[content]") {
  const bool copied = GENERATE(false, true);
  const bool cold = GENERATE(false, true);
  if (cold) folder.make_cold("file");
  const Answer answer = start({.room = 100'000, .no_send_file = copied});
  answer->before_pump = [&](FakeExchange& exchange) {
    if (exchange.received > 200'000) REQUIRE(truncate((folder / "file").c_str(), 1'000'000) == 0);
  };
  finish(answer);
  CHECK(answer->cut);
  CHECK_FALSE(answer->complete);
  CHECK(answer->content == content.substr(0, answer->content.size()));
}

TEST_CASE_METHOD(Site, "a file that grows while it is sent ends at its old size", "[content]") {
  const bool copied = GENERATE(false, true);
  folder.make_cold("file");
  const Answer answer = start({.room = 100'000, .no_send_file = copied});
  answer->before_pump = [&](FakeExchange& exchange) {
    if (exchange.pumps == 3) folder.overwrite("file", pattern(100'000, 9), kSize);
  };
  finish(answer);
  CHECK(is_whole(answer, content));
}

TEST_CASE_METHOD(Site, "a file that is replaced or deleted while it is sent is sent as it was", "[content]") {
  const bool replaced = GENERATE(false, true);
  const bool cold = GENERATE(false, true);
  folder.write("new", pattern(kSize, 5));
  if (cold) folder.make_cold("file");
  const Answer answer = start({.room = 100'000});
  if (replaced) {
    rename((folder / "new").c_str(), (folder / "file").c_str());
  } else {
    unlink((folder / "file").c_str());
  }
  finish(answer);
  CHECK(is_whole(answer, content));
  const Answer next = start();
  finish(next);
  CHECK(next->code == (replaced ? 200U : 404U));
  if (replaced) CHECK(is_whole(next, pattern(kSize, 5)));
}

TEST_CASE_METHOD(Site, "pages that vanish again and again do not stop the answer", "[content]") {
  if (!folder.make_cold("file")) return;
  const Answer answer = start({.room = 100'000});
  answer->before_pump = [&](FakeExchange&) { folder.make_cold("file"); };
  finish(answer);
  CHECK(is_whole(answer, content));
}

TEST_CASE_METHOD(Site, "clients may leave at any point", "[content]") {
  const bool cold = GENERATE(false, true);
  const bool copied = GENERATE(false, true);
  for (unsigned turns = 0; turns < 40; ++turns) {
    if (cold) folder.make_cold("file");
    Answer answer = start({.room = 50'000, .no_send_file = copied});
    for (unsigned i = 0; i < turns; ++i) rig.server.turn(0);
    answer.reset();
  }
  // A client leaves while a thread works for it.
  folder.write("other", content);
  folder.make_cold("other");
  rig.server.pause_offload(true);
  Answer waiting = start({.no_send_file = copied}, "other");
  for (int i = 0; i < 5; ++i) rig.server.turn();
  waiting.reset();
  rig.server.pause_offload(false);
  CHECK(get_is_whole());
}

TEST_CASE_METHOD(Site, "busy threads only delay a cold file", "[content]") {
  if (!folder.make_cold("file")) return;
  const bool copied = GENERATE(false, true);
  rig.server.refuse_offloads = 5;
  CHECK(get_is_whole({.no_send_file = copied}));
  CHECK(rig.server.refuse_offloads == 0);
}

TEST_CASE_METHOD(Site, "without threads a cold file's answer is cut", "[content]") {
  if (!folder.make_cold("file")) return;
  rig.server.expire_offloads = true;
  const Answer answer = start();
  finish(answer);
  CHECK(answer->cut);
}

TEST_CASE_METHOD(Site, "files of other users are served, although the kernel tells less of them", "[content]") {
  if (geteuid() != 0) return;
  chmod(folder.path.c_str(), 0755);
  const bool cold = GENERATE(false, true);
  if (cold && !folder.make_cold("file")) return;
  REQUIRE(seteuid(65534) == 0);
  const Answer first = start();
  finish(first);
  const Answer second = start({.no_send_file = true});
  finish(second);
  REQUIRE(seteuid(0) == 0);
  CHECK(is_whole(first, content));
  CHECK(is_whole(second, content));
  CHECK(first->parks > 0);  // only a thread may read it first
}

TEST_CASE_METHOD(Site, "a file system in memory is served as well", "[content]") {
  TempFolder memory("/dev/shm");
  memory.write("small", "small");
  memory.write("file", content);
  const std::size_t handler = rig.mount(memory.path);
  CHECK(rig.get("small", handler)->content == "small");
  for (const SinkPlan& sink : {SinkPlan{}, SinkPlan{.room = 5000}, SinkPlan{.no_send_file = true}}) {
    RequestPlan plan;
    plan.path = "file";
    plan.sink = sink;
    const Answer answer = rig.run(std::move(plan), handler);
    CHECK(is_whole(answer, content));
  }
}

TEST_CASE_METHOD(Site, "HEAD and an unchanged file leave the content on the disk", "[content]") {
  const bool small = GENERATE(false, true);  // small files would be sent from memory
  if (small) folder.write("file", content.substr(0, 1000));
  if (!folder.make_cold("file")) return;
  const auto ask = [&](Method method, std::vector<std::pair<std::string, std::string>> fields) {
    RequestPlan plan;
    plan.method = method;
    plan.path = "file";
    plan.fields = std::move(fields);
    Answer answer = rig.start(std::move(plan));
    finish(answer);
    return answer;
  };
  const Answer head = ask(Method::head, {});
  CHECK(head->code == 200);
  CHECK(head->declared == (small ? 1000 : kSize));
  CHECK(ask(Method::get, {{"If-None-Match", head->line("ETag")}})->code == 304);
  CHECK(ask(Method::get, {{"If-Match", "\"another\""}})->code == 412);
  CHECK(ask(Method::get, {{"Range", "bytes=9999999-"}})->code == 416);
  CHECK(folder.is_cold("file"));
  CHECK(ask(Method::get, {})->code == 200);
  if (module == "static_sendfile") CHECK_FALSE(folder.is_cold("file"));  // dynamic_aio bypasses the cache
}
