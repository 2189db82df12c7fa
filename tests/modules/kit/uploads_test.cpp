// kit/multipart.h and kit/uploads.h: forms with files come in pieces of any size, and large parts go to a disk.
#include <sluice/kit/uploads.h>
#include <sys/stat.h>

#include <catch2/catch.hpp>
#include <cstdlib>
#include <filesystem>
#include <iterator>
#include <string>

#include "support/module_rig.h"
#include "support/temp_folder.h"

using namespace sluice;
using Catch::Matchers::Contains;
using test::Answer;
using test::ModuleRig;
using test::RequestPlan;

namespace {

std::string part(const std::string& name, const std::string& content, const std::string& file = "") {
  return "--bound\r\nContent-Disposition: form-data; name=\"" + name + "\"" +
         (file.empty() ? "" : "; filename=\"" + file + "\"\r\nContent-Type: image/png") + "\r\n\r\n" + content +
         "\r\n";
}

std::string bytes(std::size_t size) {
  std::string text(size, '\0');
  for (std::size_t i = 0; i < size; ++i) text[i] = "\r\n--boun"[i * i % 8];
  return text;
}

std::uint64_t sum(std::string_view bytes) {
  std::uint64_t sum = 0;
  for (const char byte : bytes) sum = sum * 31 + static_cast<unsigned char>(byte);
  return sum;
}

struct Collected final : kit::MultipartReader::Parts {
  std::string text;
  void begin_part(kit::FormPart part) override { text += "[" + part.name + "]"; }
  void add_content(std::string_view piece) override { text += piece; }
};

// What is found in the content when it comes in pieces of that size, or the refusal.
std::string read(const std::string& content, std::size_t piece) {
  Collected collected;
  try {
    kit::MultipartReader reader("multipart/form-data; boundary=bound", collected);
    for (std::size_t at = 0; at < content.size(); at += piece)
      reader.take(std::string_view(content).substr(at, piece));
    reader.end();
  } catch (const kit::Refuse& refusal) {
    return std::to_string(refusal.status) + " " + refusal.detail;
  }
  return collected.text;
}

struct Fixture {
  ModuleRig rig{SLUICE_TEST_MODULES "/kit_uploads.so"};
  const test::TempFolder folder;

  static auto descriptors() { return std::distance(std::filesystem::directory_iterator("/proc/self/fd"), {}); }

  Fixture() { rig.mount("", {{"folder", folder.path}, {"size_max", "2M"}}); }
  static RequestPlan post(const std::string& content, std::size_t piece = 5'000, const std::string& path = "") {
    RequestPlan plan;
    plan.method = Method::post;
    plan.path = path;
    plan.fields = {{"Content-Type", "multipart/form-data; boundary=bound"}};
    for (std::size_t at = 0; at < content.size(); at += piece) plan.body.push_back(content.substr(at, piece));
    return plan;
  }
};

}  // namespace

TEST_CASE("a form is the same in pieces of any size", "[kit]") {
  const std::string content = part("a", "one") + part("b", "\r\n--boun\r\n--bouncy", "f") + part("c", "");
  const std::size_t piece = GENERATE(1U, 2U, 3U, 7U, 50U, 1'000U);
  CHECK(read(content + "--bound--\r\n", piece) == "[a]one[b]\r\n--boun\r\n--bouncy[c]");
  CHECK(read("--bound--", piece).empty());
  CHECK_THAT(read(content, piece), Contains("400") && Contains("it has no end"));
  CHECK_THAT(read("x" + content, piece), Contains("it does not begin with its boundary"));
  CHECK_THAT(read(content + "--bound--\r\nmore", piece), Contains("something follows its end"));
  CHECK_THAT(read("--bound more\r\n", piece), Contains("a line goes on behind the boundary"));
  CHECK_THAT(read("--bound\r\n" + std::string(5'000, 'a'), piece), Contains("a part has no head"));
  CHECK_THAT(read("--bound\r\n\r\n\r\n", piece), Contains("a part has not one name"));
}

TEST_CASE_METHOD(Fixture, "small parts are in memory, and large ones in files without names", "[kit]") {
  const std::string large = bytes(300'000);
  rig.run(post(part("f", large) + "--bound--"));
  const auto open_before = descriptors();
  const std::string edge = bytes(1'000);
  const Answer answer = rig.run(post(part("t", "text") + part("f", large, "a.png") + part("e", edge) +
                                     part("o", edge + "x") + "--bound--\r\n"));
  CHECK(answer->content == "t -  4 memory " + std::to_string(sum("text")) + "\nf a.png image/png 300000 file " +
                               std::to_string(sum(large)) + "\ne -  1000 memory " + std::to_string(sum(edge)) +
                               "\no -  1001 file " + std::to_string(sum(edge + "x")) + "\n");
  CHECK(rig.server.run_until([&] { return descriptors() == open_before; }));
}

TEST_CASE_METHOD(Fixture, "parts get names", "[kit]") {
  CHECK(rig.run(post(part("small", "text") + part("large", bytes(5'000)) + "--bound--", 700, "keep"))->code ==
        201);
  CHECK(std::filesystem::file_size(folder.path + "/small") == 4);
  CHECK(std::filesystem::file_size(folder.path + "/large") == 5'000);
}

TEST_CASE_METHOD(Fixture, "parts get names on another file system, and leave nothing where one is taken",
                 "[kit]") {
  char target[] = "/dev/shm/uploads_test-XXXXXX";
  REQUIRE(::mkdtemp(target) != nullptr);
  ModuleRig other{SLUICE_TEST_MODULES "/kit_uploads.so"};
  other.mount("", {{"folder", folder.path}, {"target", target}, {"queue_max", "0"}});
  const std::string content = part("small", "text") + part("large", bytes(200'000)) + "--bound--";
  CHECK(other.run(post(content, 700, "keep"))->code == 201);
  CHECK(std::filesystem::file_size(std::string(target) + "/small") == 4);
  CHECK(std::filesystem::file_size(std::string(target) + "/large") == 200'000);
  std::filesystem::remove(std::string(target) + "/small");
  CHECK(other.run(post(content, 700, "keep"))->code == 500);
  CHECK(std::distance(std::filesystem::directory_iterator(target), {}) == 2);
  std::filesystem::remove_all(target);
}

TEST_CASE_METHOD(Fixture, "a client is paused while the disk is slow", "[kit]") {
  rig.server.pause_offload(true);
  const Answer answer = rig.start(post(part("f", bytes(100'000), "f") + "--bound--", 5'000));
  for (int i = 0; i < 50; ++i) rig.server.turn(0);
  CHECK_FALSE(answer->request_body_ended);
  rig.server.pause_offload(false);
  REQUIRE(rig.server.run_until([&] { return answer->ended(); }));
  CHECK_THAT(answer->content, Contains("100000 file"));
}

TEST_CASE_METHOD(Fixture, "uploads are refused for their size, form and type, and when nothing can be written",
                 "[kit]") {
  CHECK(rig.run(post(part("f", bytes(3 << 20))))->code == 413);
  RequestPlan chunks = post(part("f", bytes(3 << 20)), 100'000);
  chunks.has_body_size = false;
  CHECK(rig.run(std::move(chunks))->code == 413);
  std::string many;
  for (int i = 0; i < 5; ++i) many += part("p", "x");
  CHECK(rig.run(post(many + "--bound--"))->code == 413);
  CHECK(rig.run(post(part("f", "x")))->code == 400);
  CHECK(rig.run(post(""))->code == 400);
  RequestPlan other = post("x");
  other.fields = {{"Content-Type", "text/plain"}};
  CHECK(rig.run(std::move(other))->code == 415);
  rig.server.expire_offloads = true;
  CHECK(rig.run(post(part("f", bytes(50'000)) + "--bound--"))->code == 503);
  rig.server.expire_offloads = false;
  rig.server.refuse_offloads = 1;
  CHECK(rig.run(post(part("f", bytes(50'000)) + "--bound--"))->code == 503);
}

TEST_CASE_METHOD(Fixture, "clients that leave in the middle leave nothing behind", "[kit]") {
  rig.run(post(part("f", bytes(100'000)) + "--bound--"));
  const auto open_before = descriptors();
  RequestPlan plan = post(part("f", bytes(100'000)), 5'000);
  plan.body_stops = true;
  Answer answer = rig.start(std::move(plan));
  for (int i = 0; i < 10; ++i) rig.server.turn(1);
  answer->cancel();
  answer.reset();
  CHECK(rig.server.run_until([&] { return rig.server.offload_idle() && descriptors() == open_before; }));
}
