// The answers of both file modules to conditions and ranges: the right bytes, truthful fields, and sent in
// the same way as whole files.
#include <catch2/catch.hpp>

#include "base/monotonic_clock.h"
#include "common/files/file_facts.h"
#include "support/module_rig.h"
#include "support/temp_folder.h"

using sluice::Method;
using sluice::test::Answer;
using sluice::test::ModuleRig;
using sluice::test::pattern;
using sluice::test::RequestPlan;
using sluice::test::TempFolder;

namespace {

constexpr std::size_t kSize = 1024 * 1024 + 77;

using Fields = std::vector<std::pair<std::string, std::string>>;

struct Site {
  std::string module = GENERATE("static_sendfile", "dynamic_aio");
  TempFolder folder;
  ModuleRig rig{SLUICE_TEST_PLUGINS "/" + module + ".so"};
  const std::string content = pattern(kSize);

  Site() {
    folder.write("file", content);
    folder.write("small", content.substr(0, 1000));
    folder.write("empty", "");
    rig.mount(folder.path);
  }
  Answer ask(const std::string& path, const Fields& fields, Method method = Method::get,
             std::uint64_t room = 1 << 20) {
    RequestPlan plan;
    plan.path = path;
    plan.fields = fields;
    plan.method = method;
    plan.sink.room = room;
    return rig.run(std::move(plan));
  }
};

// One part of multipart/byteranges.
struct Part {
  std::string range;
  std::string content;
};

// Empty if the body is not well-formed.
std::vector<Part> split_parts(const std::string& body, const std::string& type) {
  const std::string delimiter = "--" + type.substr(type.find("boundary=") + 9);
  std::vector<Part> parts;
  std::size_t at = 2;
  // Some clients look for the delimiter together with its line end.
  if (!body.starts_with("\r\n" + delimiter)) return {};
  while (true) {
    at += delimiter.size();
    if (body.compare(at, 4, "--\r\n") == 0) return at + 4 == body.size() ? parts : std::vector<Part>{};
    const std::size_t head_end = body.find("\r\n\r\n", at);
    const std::size_t next = body.find("\r\n" + delimiter, head_end);
    if (head_end == std::string::npos || next == std::string::npos) return {};
    const std::string head = body.substr(at, head_end - at);
    const std::size_t range = head.find("Content-Range: ") + 15;
    parts.push_back(
        {head.substr(range, head.find("\r\n", range) - range), body.substr(head_end + 4, next - head_end - 4)});
    at = next + 2;
  }
}

}  // namespace

TEST_CASE_METHOD(Site, "one range is that part of the file", "[ranges]") {
  for (const std::string path : {"file", "small"}) {
    const std::size_t size = path == "file" ? kSize : 1000;
    const std::string range = GENERATE("bytes=0-0", "bytes=10-99", "bytes=900-", "bytes=-100");
    CAPTURE(path, range);
    const Answer answer = ask(path, {{"Range", range}});
    CHECK(answer->code == 206);
    CHECK(answer->complete);
    const std::string told = answer->line("Content-Range");
    const std::size_t first = std::stoull(told.substr(6));
    const std::size_t last = std::stoull(told.substr(told.find('-') + 1));
    CHECK(told.substr(told.find('/')) == "/" + std::to_string(size));
    CHECK((answer->content == content.substr(0, size).substr(first, last - first + 1)));
    CHECK(answer->cold_sends == 0);
  }
}

TEST_CASE_METHOD(Site, "several ranges are parts of one answer", "[ranges]") {
  const std::uint64_t room = GENERATE(std::uint64_t{1}, std::uint64_t{100}, std::uint64_t{1} << 20);
  const std::string spec = room == 1 ? "bytes=5-9,500-504,-3" : "bytes=5-99,70000-400000,-3";
  const Answer answer = ask("file", {{"Range", spec}}, Method::get, room);
  CHECK(answer->code == 206);
  CHECK(answer->complete);
  CHECK(answer->content.size() == answer->declared);
  CHECK(answer->line("Content-Range").empty());
  const std::vector<Part> parts = split_parts(answer->content, answer->line("Content-Type"));
  REQUIRE(parts.size() == 3);
  const std::string whole = "/" + std::to_string(kSize);
  if (room == 1) {
    CHECK(parts[0].range == "bytes 5-9" + whole);
    CHECK((parts[1].content == content.substr(500, 5)));
  } else {
    CHECK(parts[0].range == "bytes 5-99" + whole);
    CHECK((parts[1].content == content.substr(70000, 330001)));
  }
  CHECK((parts[2].content == content.substr(kSize - 3)));
}

TEST_CASE_METHOD(Site, "hundreds of ranges are parts of one answer", "[ranges]") {
  const std::uint64_t room = GENERATE(std::uint64_t{700}, std::uint64_t{1} << 20);
  std::string spec = "bytes=";
  for (std::size_t i = 0; i < 300; ++i) {
    spec += (i == 0 ? "" : ",") + std::to_string(i * 3000) + "-" + std::to_string(i * 3000 + 99);
  }
  const Answer answer = ask("file", {{"Range", spec}}, Method::get, room);
  CHECK(answer->code == 206);
  CHECK(answer->complete);
  CHECK(answer->content.size() == answer->declared);
  const std::vector<Part> parts = split_parts(answer->content, answer->line("Content-Type"));
  REQUIRE(parts.size() == 300);
  for (std::size_t i = 0; i < parts.size(); ++i) {
    if (parts[i].content != content.substr(i * 3000, 100)) FAIL("part " << i << " is another");
  }
  CHECK(parts[299].range == "bytes 897000-897099/" + std::to_string(kSize));
  // However small the parts are, a turn has a limit of parts.
  CHECK(answer->pumps > 300 / 20);
}

TEST_CASE_METHOD(Site, "a range beyond the file is refused, with the file's size", "[ranges]") {
  const Answer answer = ask("small", {{"Range", "bytes=1000-"}});
  CHECK(answer->code == 416);
  CHECK(answer->line("Content-Range") == "bytes */1000");
  CHECK(ask("empty", {{"Range", "bytes=1-"}})->code == 416);
  CHECK(ask("empty", {{"Range", "bytes=0-"}})->code == 200);
  CHECK(ask("empty", {{"Range", "bytes=0-499"}})->code == 200);
  CHECK(ask("empty", {{"Range", "bytes=-1"}})->code == 200);
}

TEST_CASE_METHOD(Site, "a Range that does not apply is answered with everything", "[ranges]") {
  CHECK(ask("small", {{"Range", "bytes=9-5"}})->code == 200);
  CHECK(ask("small", {{"Range", "lines=1-2"}})->code == 200);
  CHECK(ask("small", {{"Range", "bytes=1-2"}, {"Range", "bytes=3-4"}})->code == 200);
  CHECK(ask("small", {{"Range", "bytes=1-2"}}, Method::head)->code == 200);
  CHECK(ask("small", {{"Range", "bytes=1-2"}, {"If-Range", "\"other\""}})->content.size() == 1000);
}

TEST_CASE_METHOD(Site, "a condition that is not met is answered without the content", "[ranges]") {
  const std::string tag = ask("small", {})->line("ETag");
  const Answer same = ask("small", {{"If-None-Match", tag}});
  CHECK(same->code == 304);
  CHECK(same->line("ETag") == tag);
  CHECK(same->line("Content-Type").empty());
  CHECK(same->content.empty());
  CHECK(ask("small", {{"If-Match", "\"other\""}})->code == 412);
  CHECK(ask("small", {{"If-None-Match", "\"other\""}})->code == 200);
  CHECK(ask("small", {{"If-None-Match", tag}, {"Range", "bytes=0-1"}})->code == 304);
}

TEST_CASE("requests share a check of a file only if it is sent from memory", "[files]") {
  Site site;
  site.folder.wait_until_older("small", sluice::files::kYoungSeconds);
  for (int i = 0; i < 2; ++i) REQUIRE(site.ask("small", {})->code == 200);  // from now on its content is kept
  RequestPlan plan;
  plan.path = "small";
  plan.arrived_ns = sluice::monotonic_ns();
  REQUIRE(site.ask("small", {})->content == site.content.substr(0, 1000));
  const std::string after(1000, '!');
  site.folder.write("small", after);

  CHECK(site.rig.run(plan)->content == site.content.substr(0, 1000));
  plan.fields = {{"Range", "bytes=0-0,2-2"}};
  const Answer answer = site.rig.run(plan);
  CHECK(answer->code == 206);
  const std::vector<Part> parts = split_parts(answer->content, answer->line("Content-Type"));
  REQUIRE(parts.size() == 2);
  CHECK(parts[0].content == "!");
  CHECK(parts[1].content == "!");
  const Answer whole = site.ask("small", {});
  CHECK(whole->content == after);
  CHECK(whole->line("ETag") == answer->line("ETag"));
}
