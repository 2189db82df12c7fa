#include <catch2/catch.hpp>

#include <linux/aio_abi.h>
#include <sys/syscall.h>

#include <fstream>

#include "support/module_rig.h"
#include "support/temp_folder.h"

using sluice::Method;
using sluice::test::Answer;
using sluice::test::ModuleRig;
using sluice::test::pattern;
using sluice::test::RequestPlan;
using sluice::test::TempFolder;

namespace {

struct Site {
  TempFolder folder;
  ModuleRig rig{SLUICE_TEST_PLUGINS "/dynamic_aio.so"};
  const std::string content = pattern(2'000'003);

  Site() { folder.write("file", content); }
  std::uint64_t counted(const std::string& name) { return rig.server.counters.at(name); }
};

// Takes all that is left of fs.aio-max-nr.
struct AioExhausted {
  AioExhausted() {
    for (unsigned events = 1 << 16; events > 0; events /= 2) {
      aio_context_t context = 0;
      while (syscall(SYS_io_setup, events, &context) == 0) {
        contexts.push_back(context);
        context = 0;
      }
    }
  }
  ~AioExhausted() {
    for (const aio_context_t context : contexts) syscall(SYS_io_destroy, context);
  }
  std::vector<aio_context_t> contexts;
};

// The number of contexts of this process: each has its ring mapped.
std::size_t aio_contexts() {
  std::ifstream maps("/proc/self/maps");
  std::size_t count = 0;
  for (std::string line; std::getline(maps, line);) count += line.find("/[aio]") != std::string::npos ? 1 : 0;
  return count;
}

std::string upper(std::string_view text) {
  std::string made;
  std::size_t column = 0;
  for (const char c : text) {
    if (c == '\t') {
      do {
        made += ' ';
      } while (++column % 8 != 0);
      continue;
    }
    made += static_cast<char>(c >= 'a' && c <= 'z' ? c - 32 : c);
    column = c == '\n' ? 0 : column + 1;
  }
  return made;
}

}  // namespace

TEST_CASE_METHOD(Site, "cached content is copied from memory", "[dynamic]") {
  rig.mount(folder.path);
  CHECK((rig.get("file")->content == content));
  CHECK(counted("aio_reads") == 0);
  CHECK(counted("thread_reads") == 0);
}

TEST_CASE_METHOD(Site, "cold content is read by AIO", "[dynamic]") {
  if (!folder.make_cold("file")) return;
  rig.mount(folder.path);
  const Answer answer = rig.get("file");
  CHECK((answer->content == content));
  CHECK(answer->parks > 0);
  CHECK(counted("aio_reads") == 8);
  CHECK(counted("thread_reads") == 0);
  CHECK(counted("aio_thread_submits") < 8);  // after the first reads the loop submits
}

TEST_CASE_METHOD(Site, "the old and the new file of a path are not mixed", "[dynamic]") {
  if (!folder.make_cold("file")) return;
  rig.mount(folder.path);
  const int fd = open((folder / "file").c_str(), O_RDONLY | O_CLOEXEC);
  rig.server.pause_offload(true);
  RequestPlan plan;
  plan.path = "file";
  const Answer answer = rig.start(std::move(plan));
  // Without this, the threads' readahead would hide how the rest is read.
  answer->before_pump = [fd](sluice::test::FakeExchange&) { posix_fadvise(fd, 0, 0, POSIX_FADV_DONTNEED); };
  rig.server.turn();
  folder.write("new", pattern(2'000'003, 7));
  rename((folder / "new").c_str(), (folder / "file").c_str());
  rig.server.pause_offload(false);
  REQUIRE(rig.server.run_until([&] { return answer->ended(); }));
  close(fd);
  CHECK((answer->content == content));
  CHECK(counted("aio_reads") == 0);
  CHECK(counted("thread_reads") > 2);
  CHECK(counted("aio_thread_submits") <= 2);  // it tries once, not for each range
}

TEST_CASE_METHOD(Site, "a thread destroys the AIO context once the module is retired and nothing is read",
                 "[dynamic]") {
  if (!folder.make_cold("file")) return;
  rig.mount(folder.path);
  const std::size_t before = aio_contexts();
  RequestPlan plan;
  plan.path = "file";
  const Answer answer = rig.start(std::move(plan));
  REQUIRE(rig.server.run_until([&] { return counted("aio_reads") > 0; }));
  REQUIRE(aio_contexts() == before + 1);
  rig.retire();
  REQUIRE(rig.server.run_until([&] { return answer->ended() && rig.server.offload_idle(); }));
  CHECK((answer->content == content));  // threads read the rest
  CHECK(aio_contexts() == before);
  const std::uint64_t reads = counted("aio_reads");
  REQUIRE(folder.make_cold("file"));
  CHECK((rig.get("file")->content == content));
  CHECK(counted("aio_reads") == reads);
  CHECK(aio_contexts() == before);
}

TEST_CASE_METHOD(Site, "without an AIO context threads read", "[dynamic]") {
  if (!folder.make_cold("file")) return;
  rig.mount(folder.path);
  {
    const AioExhausted exhausted;
    CHECK((rig.get("file")->content == content));
    CHECK(counted("aio_reads") == 0);
    CHECK(counted("thread_reads") > 0);
    REQUIRE_FALSE(rig.server.logs.empty());
    CHECK(rig.server.logs[0].second.find("fs.aio-max-nr") != std::string::npos);
  }
  folder.make_cold("file");
  rig.server.advance_clock(1000);
  rig.server.turn();
  CHECK((rig.get("file")->content == content));
  CHECK(counted("aio_reads") > 0);
}

TEST_CASE_METHOD(Site, "a client may leave while reads are under way", "[dynamic]") {
  folder.make_cold("file");
  rig.mount(folder.path);
  for (int i = 0; i < 20; ++i) {
    RequestPlan plan;
    plan.path = "file";
    Answer answer = rig.start(std::move(plan));
    rig.server.turn(0);
    answer.reset();
    folder.make_cold("file");
  }
}

TEST_CASE_METHOD(Site, "content is processed on its way", "[dynamic]") {
  std::string text;
  for (int i = 0; i < 40'000; ++i) text += "line " + std::to_string(i) + "\tof\t\ttext\n";
  folder.write("text.txt", text);
  const std::size_t handler = rig.mount(folder.path, {{"process", "upper"}});
  for (const bool cold : {false, true}) {
    if (cold) folder.make_cold("text.txt");
    RequestPlan plan;
    plan.path = "text.txt";
    plan.sink.room = 30'000;
    plan.sink.socket = {0, 10'000, 1, 50'000};
    const Answer answer = rig.run(std::move(plan), handler);
    CHECK(answer->complete);
    CHECK((answer->content == upper(text)));
    CHECK(answer->declared == sluice::kUnknownSize);
    CHECK(answer->line("Content-Type") == "text/plain; charset=utf-8");
    CHECK(answer->line("ETag").empty());

    RequestPlan head;
    head.path = "text.txt";
    head.method = Method::head;
    const Answer head_answer = rig.run(std::move(head), handler);
    CHECK(head_answer->lines == answer->lines);
    CHECK(head_answer->declared == sluice::kUnknownSize);
    CHECK(head_answer->content.empty());
  }
}

TEST_CASE_METHOD(Site, "processed content is sent, and has no tag", "[dynamic]") {
  rig.mount(folder.path, {{"process", "upper"}});
  const auto code_with = [this](const char* name, const char* value) {
    RequestPlan plan;
    plan.path = "file";
    plan.fields = {{name, value}};
    return rig.run(std::move(plan))->code;
  };
  CHECK(code_with("If-Match", "*") == 200);
  CHECK(code_with("If-Match", "\"any\"") == 412);
  CHECK(code_with("If-None-Match", "*") == 304);
  CHECK(code_with("If-None-Match", "\"any\"") == 200);
  CHECK(code_with("If-Modified-Since", "Fri, 31 Dec 9999 23:59:59 GMT") == 200);
  CHECK(code_with("Range", "bytes=0-0") == 200);
}

TEST_CASE_METHOD(Site, "small and empty files are processed too", "[dynamic]") {
  folder.write("small", "abc\td");
  folder.write("empty", "");
  rig.mount(folder.path, {{"process", "upper"}});
  CHECK(rig.get("small")->content == "ABC     D");
  CHECK(rig.get("empty")->complete);
  CHECK(rig.get("empty")->content.empty());
}

TEST_CASE_METHOD(Site, "markers show the request and the file", "[dynamic]") {
  folder.write("a&b.html", "<!--# path -->|<!--# mtime -->|<!--# date -->|<!--# nope -->");
  const timespec times[2] = {{784111777, 0}, {784111777, 0}};
  utimensat(AT_FDCWD, (folder / "a&b.html").c_str(), times, 0);
  rig.mount(folder.path, {{"process", "markers"}});
  const std::string answer = rig.get("a&b.html")->content;
  CHECK(answer.starts_with("/m/a&amp;b.html|Sun, 06 Nov 1994 08:49:37 GMT|"));
  CHECK(answer.ends_with(" GMT|<!--# nope -->"));
}

TEST_CASE_METHOD(Site, "a processed file that shrinks cuts the answer", "[dynamic]") {
  rig.mount(folder.path, {{"process", "upper"}});
  RequestPlan plan;
  plan.path = "file";
  plan.sink.room = 50'000;
  const Answer answer = rig.start(std::move(plan));
  answer->before_pump = [&](sluice::test::FakeExchange& exchange) {
    if (exchange.pumps == 2) REQUIRE(truncate((folder / "file").c_str(), 300'000) == 0);
  };
  REQUIRE(rig.server.run_until([&] { return answer->ended(); }));
  CHECK(answer->cut);
}
