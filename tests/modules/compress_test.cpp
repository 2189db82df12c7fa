// The filter compress: which answers it codes and with what, their heads, the conditions of clients that have
// coded content, and what is written when.
#include <array>
#include <catch2/catch.hpp>
#include <map>
#include <random>
#include <string>

#include "modules/decoding.h"
#include "support/module_rig.h"

using namespace sluice;
using Catch::Matchers::Contains;
using test::Answer;
using test::decode;
using test::ModuleRig;
using test::RequestPlan;

namespace {

using Options = std::map<std::string, std::string>;
using Lines = std::vector<std::pair<std::string, std::string>>;

std::string text_of(std::size_t size) {
  std::string text;
  for (unsigned i = 0; text.size() < size; ++i) text += "line " + std::to_string(i * 7919) + " of a text\n";
  text.resize(size);
  return text;
}

// Hardly any coding makes it shorter.
std::string noise_of(std::size_t size) {
  std::mt19937 random(7);
  std::string noise(size, ' ');
  for (char& byte : noise) byte = static_cast<char>(random());
  return noise;
}

// Like a text of a language: some words come often.
std::string words_of(std::size_t size) {
  std::mt19937 random(11);
  std::string words;
  while (words.size() < size) words += "word" + std::to_string(random() % (1 + random() % 3000)) + " ";
  words.resize(size);
  return words;
}

RequestPlan plan_of(const std::string& accepted, const std::string& type = "text/html; charset=utf-8",
                    std::size_t size = 4000) {
  RequestPlan plan;
  plan.path = "a";
  if (!accepted.empty()) plan.fields = {{"Accept-Encoding", accepted}};
  if (!type.empty()) plan.behind.lines = {{"Content-Type", type}};
  plan.behind.content = text_of(size);
  return plan;
}

struct Fixture {
  ModuleRig rig{SLUICE_TEST_PLUGINS "/compress.so"};

  Answer answer(RequestPlan plan, const Options& options = {}) {
    return rig.run(std::move(plan), rig.mount("", options));
  }
  std::string coding(const std::string& accepted, const Options& options = {}) {
    const auto answered = answer(plan_of(accepted), options);
    const std::string coding = answered->line("Content-Encoding");
    CHECK(answered->complete);
    CHECK((coding.empty() ? answered->content : decode(coding, answered->content).content) == text_of(4000));
    return coding;
  }
  // Whether it is coded. If not, nothing of its head may depend on Accept-Encoding.
  bool is_coded(const RequestPlan& plan, const Options& options = {}) {
    const auto answered = answer(plan, options);
    const bool coded = !answered->line("Content-Encoding").empty() && answered->transformed;
    CHECK((answered->line("Vary") == "Accept-Encoding") == coded);
    return coded;
  }
  std::string refusal(const Options& options) {
    try {
      rig.mount("", options);
    } catch (const std::exception& error) {
      return error.what();
    }
    return "";
  }
};

}  // namespace

TEST_CASE_METHOD(Fixture, "the client's weights choose the coding, then the server's order", "[compress]") {
  CHECK(coding("").empty());
  CHECK(coding("gzip") == "gzip");
  CHECK(coding("gzip, deflate, br, zstd") == "zstd");
  CHECK(coding("gzip, deflate, br") == "br");
  CHECK(coding("gzip;q=1, br;q=0.9, zstd;q=0.8") == "gzip");
  CHECK(coding("gzip;q=0.5, identity").empty());
  CHECK(coding("gzip;q=0, *;q=0.5") == "zstd");
  CHECK(coding("*") == "zstd");
  CHECK(coding("deflate, compress").empty());
  CHECK(coding("identity;q=0, *;q=0").empty());
  const Options order{{"codings", "gzip\nbr"}};
  CHECK(coding("gzip, br, zstd", order) == "gzip");
  CHECK(coding("gzip;q=0.1, br;q=0.2, zstd", order) == "br");
  CHECK(coding("zstd", order).empty());
}

TEST_CASE_METHOD(Fixture, "types that are not coded themselves are coded", "[compress]") {
  for (const char* type :
       {"text/html", "TEXT/plain;charset=utf-8", "text/event-stream", "application/json", "image/svg+xml",
        "application/manifest+json", "application/wasm", "text/javascript", "font/ttf", "application/xml"})
    CHECK(is_coded(plan_of("br", type)));
  for (const char* type : {"", "image/png", "video/mp4", "font/woff2", "application/zip", "application/json5x",
                           "application/octet-stream", "application/epub+zip", "xml", "+xml"})
    CHECK_FALSE(is_coded(plan_of("br", type)));
  const Options more{{"types", "image/x-tga\nmodel/*"}};
  CHECK(is_coded(plan_of("br", "image/x-tga"), more));
  CHECK(is_coded(plan_of("br", "model/gltf-binary"), more));
  CHECK(is_coded(plan_of("br", "text/html"), more));
  CHECK_FALSE(is_coded(plan_of("br", "image/png"), more));
}

TEST_CASE_METHOD(Fixture, "short content is not coded, if its size is known", "[compress]") {
  CHECK_FALSE(is_coded(plan_of("br", "text/html", 1023)));
  CHECK(is_coded(plan_of("br", "text/html", 1024)));
  CHECK_FALSE(is_coded(plan_of("br", "text/html", 1024), {{"min_size", "1025"}}));
  CHECK_FALSE(is_coded(plan_of("br", "text/html", 0), {{"min_size", "0"}}));
  CHECK(is_coded(plan_of("br", "text/html", 1), {{"min_size", "0"}}));
  RequestPlan unknown = plan_of("br", "text/html", 10);
  unknown.behind.has_size = false;
  CHECK(is_coded(unknown));
}

TEST_CASE_METHOD(Fixture, "answers of other kinds stay as they are", "[compress]") {
  RequestPlan plan = plan_of("gzip, br, zstd");
  SECTION("another status") {
    plan.behind.code = GENERATE(201U, 301U, 404U, 416U, 500U);
    CHECK_FALSE(is_coded(plan));
  }
  SECTION("coded already") {
    plan.behind.lines.emplace_back("content-encoding", "gzip");
    const auto answered = answer(plan);
    CHECK_FALSE(answered->transformed);
    CHECK(answered->line("Vary").empty());
  }
  SECTION("not to be changed") {
    plan.behind.lines.emplace_back("Cache-Control", "max-age=5");
    plan.behind.lines.emplace_back("Cache-Control", GENERATE("no-transform", "public, No-Transform"));
    CHECK_FALSE(is_coded(plan));
  }
  SECTION("kept for a while, which is something else") {
    plan.behind.lines.emplace_back("Cache-Control", "max-age=5, x-no-transform");
    CHECK(is_coded(plan));
  }
  SECTION("a part of a file") {
    plan.behind.code = 206;
    plan.behind.lines = {{"Content-Type", GENERATE("text/html", "multipart/byteranges; boundary=x")},
                         {"ETag", "\"abc\""},
                         {"Accept-Ranges", "bytes"}};
    const auto answered = answer(plan);
    CHECK_FALSE(answered->transformed);
    CHECK(answered->line("Accept-Ranges") == "bytes");
    CHECK(answered->line("ETag") == "\"abc\"");
    CHECK(answered->line("Vary") == "Accept-Encoding");
  }
  SECTION("a part of a picture") {
    plan.behind.code = 206;
    plan.behind.lines = {{"Content-Type", "image/png"}};
    CHECK(answer(plan)->line("Vary").empty());
  }
}

TEST_CASE_METHOD(Fixture, "Vary tells caches, whatever this client accepts", "[compress]") {
  const auto vary = [&](const Lines& before, const std::string& accepted) {
    RequestPlan plan = plan_of(accepted);
    plan.behind.lines.insert(plan.behind.lines.end(), before.begin(), before.end());
    const auto answered = answer(plan);
    std::string all;
    for (const auto& [name, value] : answered->lines) {
      if (name == "Vary" || name == "vary") all += "[" + value + "]";
    }
    return all;
  };
  for (const char* accepted : {"", "br"}) {
    CHECK(vary({}, accepted) == "[Accept-Encoding]");
    CHECK(vary({{"Vary", "Accept"}}, accepted) == "[Accept, Accept-Encoding]");
    CHECK(vary({{"vary", "Accept,Origin"}, {"Vary", "Cookie"}}, accepted) ==
          "[Accept, Origin, Cookie, Accept-Encoding]");
    CHECK(vary({{"Vary", "*"}}, accepted) == "[*]");
    CHECK(vary({{"Vary", "Origin, accept-encoding"}}, accepted) == "[Origin, accept-encoding]");
  }
}

TEST_CASE_METHOD(Fixture, "coded content has a tag of its own, and no ranges or digests", "[compress]") {
  const auto [plain, coded] = GENERATE(table<std::string, std::string>({
      {"\"abc\"", "W/\"abc-br\""},
      {"W/\"abc\"", "W/\"abc-br\""},
      {"\"\"", "W/\"-br\""},
      {"abc", "abc"},
      {"\"", "\""},
  }));
  RequestPlan plan = plan_of("br");
  plan.method = GENERATE(Method::get, Method::head);
  for (const auto& line :
       Lines{{"ETag", plain}, {"Accept-Ranges", "bytes"}, {"Content-Digest", "x"}, {"Last-Modified", "y"}})
    plan.behind.lines.push_back(line);
  const auto answered = answer(plan);
  CHECK(answered->code == 200);
  CHECK(answered->line("Content-Encoding") == "br");
  CHECK(answered->line("Vary") == "Accept-Encoding");
  CHECK(answered->line("ETag") == coded);
  CHECK(answered->line("Accept-Ranges").empty());
  CHECK(answered->line("Content-Digest").empty());
  CHECK(answered->line("Last-Modified").empty());
  CHECK(answered->declared == kUnknownSize);
  CHECK(answered->content.empty() == (plan.method == Method::head));
  plan.fields.clear();
  const auto as_it_is = answer(plan);
  CHECK(as_it_is->line("ETag") == plain);
  CHECK(as_it_is->line("Accept-Ranges") == "bytes");
  CHECK(as_it_is->line("Last-Modified") == "y");
  CHECK(as_it_is->declared == 4000);
}

TEST_CASE_METHOD(Fixture, "a client that has the coded content is told so", "[compress]") {
  const auto code = [&](const std::string& known, const std::string& accepted, const std::string& tag,
                        Method method = Method::get) {
    RequestPlan plan = plan_of(accepted);
    plan.method = method;
    plan.fields.emplace_back("If-None-Match", known);
    plan.behind.lines.emplace_back("ETag", tag);
    plan.behind.lines.emplace_back("Accept-Ranges", "bytes");
    plan.behind.lines.emplace_back("Cache-Control", "max-age=5");
    const auto answered = answer(plan);
    if (answered->code == 304) {
      CHECK(answered->line("ETag") == "W/\"abc-br\"");
      CHECK(answered->line("Vary") == "Accept-Encoding");
      CHECK(answered->line("Cache-Control") == "max-age=5");
      for (const char* name : {"Content-Type", "Content-Encoding", "Accept-Ranges"})
        CHECK(answered->line(name).empty());
      CHECK(answered->content.empty());
      CHECK_FALSE(answered->transformed);
    }
    return answered->code;
  };
  CHECK(code("\"abc-br\"", "br", "\"abc\"") == 304);
  CHECK(code("\"abc-br\"", "br", "\"abc\"", Method::head) == 304);
  CHECK(code("\"abc-br\"", "br", "\"abc\"", Method::post) == 200);
  CHECK(code("W/\"abc-br\"", "br", "\"abc\"") == 304);
  CHECK(code("\"x\", \"abc-gzip\", \"abc-br\"", "br", "\"abc\"") == 304);
  CHECK(code("\"abc-gzip\"", "br", "\"abc\"") == 200);
  CHECK(code("\"abc-br\"", "", "\"abc\"") == 200);
  CHECK(code("\"abc-br\"", "br", "\"def\"") == 200);
  CHECK(code("\"abc\"", "br", "\"abc\"") == 200);  // whoever answers judges its own tags
  CHECK(code("*", "br", "\"abc\"") == 200);
}

TEST_CASE_METHOD(Fixture, "a 304 of a handler says that the coding matters", "[compress]") {
  RequestPlan plan = plan_of("br", "");
  plan.behind.code = 304;
  plan.behind.content.clear();
  plan.behind.lines = {{"ETag", "\"abc\""}, {"Vary", "Accept"}};
  const auto answered = answer(plan);
  CHECK(answered->code == 304);
  CHECK(answered->line("ETag") == "\"abc\"");
  CHECK(answered->line("Vary") == "Accept, Accept-Encoding");
}

TEST_CASE_METHOD(Fixture, "all content comes back when it is decoded, however the client takes it",
                 "[compress]") {
  const std::string accepted = GENERATE("zstd", "br", "gzip");
  const std::size_t size = GENERATE(1U, 1000U, 16U * 1024, 16U * 1024 + 1, 700'000U);
  const bool noisy = GENERATE(false, true);
  std::mt19937 random(static_cast<unsigned>(size));
  RequestPlan plan = plan_of(accepted);
  plan.behind.content = noisy ? noise_of(size) : text_of(size);
  plan.behind.has_size = GENERATE(false, true);
  SECTION("at once") {}
  SECTION("in pieces") {
    plan.sink.room = 1 + random() % 5000;
    for (int i = 0; i < 50; ++i) plan.sink.socket.push_back(random() % 3000);
  }
  SECTION("with pauses") {
    for (std::size_t at = random() % 20'000; at <= size; at += random() % 20'000)
      plan.behind.pauses.push_back(at);
    plan.sink.room = 1 + random() % 20'000;
  }
  const std::string content = plan.behind.content;
  const auto answered = answer(plan, {{"min_size", "0"}});
  CHECK(answered->complete);
  CHECK(answered->line("Content-Encoding") == accepted);
  const auto decoded = decode(accepted, answered->content);
  CHECK(decoded.is_complete);
  CHECK(decoded.content == content);
  if (size >= 16 * 1024 && !noisy) CHECK(answered->content.size() < size / 2);
  CHECK(rig.server.counters["bytes_in"] == size);
  CHECK(rig.server.counters["bytes_out"] == answered->content.size());
  CHECK(rig.server.counters["coded"] == 1);
}

TEST_CASE_METHOD(Fixture, "each event can be decoded as soon as the stream falls silent", "[compress]") {
  const std::string accepted = GENERATE("zstd", "br", "gzip");
  RequestPlan plan = plan_of(accepted, "text/event-stream", 0);
  plan.behind.has_size = false;
  plan.sink.room = GENERATE(7U, 1U << 20);
  for (int i = 0; i < 20; ++i) {
    plan.behind.content += "data: event " + std::to_string(i) + "\n\n";
    plan.behind.pauses.push_back(plan.behind.content.size());
  }
  const auto answered = answer(plan);
  REQUIRE(answered->received_at_pause.size() == 20);
  std::size_t before = 0;
  for (std::size_t i = 0; i < 20; ++i) {
    const auto decoded = decode(accepted, answered->content.substr(0, answered->received_at_pause[i]));
    CHECK(decoded.content == plan.behind.content.substr(0, plan.behind.pauses[i]));
    CHECK(answered->received_at_pause[i] > before);
    before = answered->received_at_pause[i];
  }
}

TEST_CASE_METHOD(Fixture, "a stream that stays silent costs no bytes", "[compress]") {
  const std::string accepted = GENERATE("zstd", "br", "gzip");
  RequestPlan plan = plan_of(accepted, "text/event-stream", 100);
  plan.behind.has_size = false;
  plan.behind.pauses = {0, 0, 50, 50, 50};
  const auto answered = answer(plan);
  REQUIRE(answered->received_at_pause.size() == 5);
  CHECK(answered->received_at_pause[1] == 0);
  CHECK(answered->received_at_pause[2] > 0);
  CHECK(answered->received_at_pause[4] == answered->received_at_pause[2]);
  CHECK(decode(accepted, answered->content).content == plan.behind.content);
}

TEST_CASE_METHOD(Fixture, "after each 16 KiB it is the turn of others", "[compress]") {
  RequestPlan plan = plan_of("gzip", "text/plain", 160 * 1024);
  const auto answered = answer(plan);
  CHECK(answered->complete);
  CHECK(answered->parks == 9);  // the last piece ends the content
}

TEST_CASE_METHOD(Fixture, "above streams_max answers leave as they are", "[compress]") {
  const std::size_t filter = rig.mount("", {{"streams_max", "2"}});
  // Answers that nobody has taken yet.
  std::vector<Answer> running;
  for (int i = 0; i < 2; ++i) running.push_back(rig.start(plan_of("br"), filter));
  for (const auto& one : running) CHECK(one->line("Content-Encoding") == "br");
  const auto third = rig.start(plan_of("br"), filter);
  CHECK(third->line("Content-Encoding").empty());
  CHECK(third->line("Vary") == "Accept-Encoding");
  CHECK(third->content == text_of(4000));
  CHECK(rig.server.counters["crowded_out"] == 1);
  RequestPlan head = plan_of("br");
  head.method = Method::head;
  CHECK(rig.run(head, filter)->line("Content-Encoding") == "br");
  running.pop_back();
  CHECK(rig.run(plan_of("br"), filter)->line("Content-Encoding") == "br");
  running.clear();
  for (int i = 0; i < 5; ++i) CHECK(rig.run(plan_of("gzip"), filter)->line("Content-Encoding") == "gzip");
  rig.retire();
  CHECK(rig.run(plan_of("zstd"), filter)->line("Content-Encoding") == "zstd");
}

TEST_CASE_METHOD(Fixture, "levels change the size", "[compress]") {
  const std::string coding = GENERATE("gzip", "br", "zstd");
  const std::string most = coding == "gzip" ? "6" : coding == "br" ? "4" : "5";
  const auto size = [&](const std::string& level) {
    RequestPlan plan = plan_of(coding);
    plan.behind.content = words_of(200'000);
    const auto answered = answer(plan, {{"level_" + coding, level}});
    CHECK(decode(coding, answered->content).content == words_of(200'000));
    return answered->content.size();
  };
  const std::size_t fastest = size("1");
  CHECK(size(most) < fastest);
  CHECK(size("1") == fastest);
}

TEST_CASE_METHOD(Fixture, "options of compress that mean nothing are refused", "[compress]") {
  CHECK_THAT(refusal({{"codings", "deflate"}}),
             Contains("the option codings has 'deflate': write zstd, br or gzip"));
  CHECK_THAT(refusal({{"codings", "br\ngzip\nbr"}}),
             Contains("the option codings has 'br' twice: write it once"));
  CHECK_THAT(refusal({{"codings", "\n"}}), Contains("the option codings is empty: write zstd, br or gzip"));
  CHECK_THAT(refusal({{"types", "json"}}),
             Contains("the option types has the type 'json': write TYPE/SUBTYPE, TYPE/* or *"));
  CHECK_THAT(refusal({{"level_br", "5"}}), Contains("the option level_br is 5: write 1 to 4"));
  CHECK_THAT(refusal({{"level_zstd", "0"}}), Contains("the option level_zstd is 0: write 1 to 5"));
  CHECK_THAT(refusal({{"level_gzip", "7"}}), Contains("the option level_gzip is 7: write 1 to 6"));
  CHECK_THAT(refusal({{"streams_max", "0"}}), Contains("so nothing would be coded: write 1 or more"));
}
