#include <catch2/catch.hpp>

#include "common/files/open_beneath.h"
// The module exports no symbol to link with.
#include "static_sendfile/readahead_queue.cpp"
#include "static_sendfile/sendfile_body.cpp"
#include "support/module_rig.h"
#include "support/temp_folder.h"

using sluice::test::Answer;
using sluice::test::FakeExchange;
using sluice::test::ModuleRig;
using sluice::test::pattern;
using sluice::test::RequestPlan;
using sluice::test::TempFolder;

namespace {

struct Site {
  TempFolder folder;
  ModuleRig rig{SLUICE_TEST_PLUGINS "/static_sendfile.so"};
  const std::string content = pattern(2'000'000);

  Site() {
    folder.write("file", content);
    rig.mount(folder.path);
  }
  std::uint64_t counted(const std::string& name) { return rig.server.counters.at(name); }
};

}  // namespace

TEST_CASE_METHOD(Site, "content leaves by sendfile, without a copy", "[static]") {
  const Answer answer = rig.get("file");
  CHECK(answer->files_sent > 0);
  CHECK((answer->content == content));
  CHECK(counted("readaheads") == 0);
  CHECK(counted("copied_ranges") == 0);
}

TEST_CASE_METHOD(Site, "cold content is read ahead, then leaves by sendfile", "[static]") {
  if (!folder.make_cold("file")) return;
  const Answer answer = rig.get("file");
  CHECK(answer->files_sent > 0);
  CHECK((answer->content == content));
  CHECK(answer->cold_sends == 0);
  CHECK(counted("readaheads") > 1);
  CHECK(counted("thread_readaheads") == 1);  // for the first piece
  CHECK(counted("copied_ranges") == 0);
}

TEST_CASE_METHOD(Site, "threads alone bring a file with holes into memory", "[static]") {
  constexpr std::size_t kSize = 8 << 20;
  folder.write("holes", "");
  REQUIRE(truncate((folder / "holes").c_str(), kSize) == 0);
  if (!folder.make_cold("holes")) return;
  const Answer answer = rig.get("holes");
  CHECK((answer->content == std::string(kSize, '\0')));
  CHECK(answer->files_sent > 0);
  CHECK(answer->cold_sends == 0);
  CHECK(counted("copied_ranges") == 0);
  CHECK(counted("readaheads") >= kSize / sluice::ReadaheadStream::kPieceMax);
  CHECK(counted("thread_readaheads") == counted("readaheads"));
}

TEST_CASE_METHOD(Site, "content is copied if zero copy is not supported", "[static]") {
  RequestPlan plan;
  plan.path = "file";
  plan.sink.no_send_file = true;
  const Answer answer = rig.run(std::move(plan));
  CHECK((answer->content == content));
  CHECK(counted("copied_ranges") == 1);
}

TEST_CASE_METHOD(Site, "a thread copies pages that do not stay in memory", "[static]") {
  if (!folder.make_cold("file")) return;
  RequestPlan plan;
  plan.path = "file";
  const Answer answer = rig.start(std::move(plan));
  answer->before_pump = [&](FakeExchange&) { folder.make_cold("file"); };
  REQUIRE(rig.server.run_until([&] { return answer->ended(); }));
  CHECK((answer->content == content));
  CHECK(counted("copied_ranges") > 0);
  CHECK(counted("thread_reads") > 0);
}

namespace {

// A stream of a cold file. The kernel reads only what it is asked for, so that the queue alone decides what
// is read.
struct OneStream {
  TempFolder folder;
  sluice::test::FakeServer server;
  sluice::test::FakeHost host{server, {}};
  sluice::ReadaheadQueue queue{host};
  sluice::ReadaheadRef stream = std::make_shared<sluice::ReadaheadStream>();
  bool cold;

  explicit OneStream(bool has_holes = false) {
    using namespace sluice::files;
    folder.write("file", pattern(6'000'000));
    cold = folder.make_cold("file");
    OwnedFd fd(open((folder / "file").c_str(), O_RDONLY | O_CLOEXEC));
    REQUIRE(posix_fadvise(fd.get(), 0, 0, POSIX_FADV_RANDOM) == 0);
    FileFacts facts;
    REQUIRE(read_facts(fd.get(), facts) == 0);
    facts.has_holes = has_holes;
    stream->file =
        OpenFile::make(host, std::make_shared<OpenFilesState>(), std::move(fd), facts, "file", "x/y");
    stream->end = facts.size;
  }
  ~OneStream() {
    queue.drop(stream);
    server.run_until([&] { return host.holds == 0; });
  }
  bool woken() {
    return server.run_until([&] { return !stream->waits; });
  }
};

}  // namespace

TEST_CASE("reading stays a little ahead of a body", "[static]") {
  OneStream one;
  if (!one.cold) return;
  const auto& stream = *one.stream;
  for (std::uint64_t position = 0; position < stream.end; position += 100'000) {
    const std::uint64_t piece = stream.piece;
    one.queue.wait(one.stream, position);
    REQUIRE(one.server.run_until([&] { return !stream.waits && !stream.queued; }));
    CHECK_FALSE(stream.hopeless);
    const std::uint64_t ahead = stream.reading.begun - position;
    CHECK((ahead >= piece || stream.reading.begun == stream.end));
    CHECK(ahead < 2 * stream.piece);
  }
}

TEST_CASE("a body that goes back while a thread starts a piece is woken", "[static]") {
  OneStream one(true);
  if (!one.cold) return;
  one.queue.wait(one.stream, 0);
  REQUIRE(one.woken());
  one.queue.move(one.stream, one.stream->reading.begun);
  REQUIRE(one.stream->queued);  // a thread starts the next piece
  const std::uint64_t begun = one.server.counters.at("thread_readaheads");
  one.folder.make_cold("file");
  REQUIRE(one.stream->settled > 10'000);
  one.queue.wait(one.stream, 10'000);
  CHECK(one.woken());
  CHECK(one.server.counters.at("thread_readaheads") > begun);  // for the pages that are gone again
}

TEST_CASE("a body that ends while a thread starts its piece is not woken", "[static]") {
  OneStream one;
  one.queue.wait(one.stream, 0);
  one.queue.drop(one.stream);
  CHECK(one.server.run_until([&] { return one.host.holds == 0; }));
  CHECK_FALSE(one.stream->waits);
}

TEST_CASE("a body is woken as hopeless if no thread starts its piece", "[static]") {
  OneStream one;
  one.server.expire_offloads = true;
  one.queue.wait(one.stream, 0);
  REQUIRE(one.woken());
  CHECK(one.stream->hopeless);
}

TEST_CASE("ranges behind 4 GiB are sent from where they are", "[static]") {
  using namespace sluice::files;
  constexpr std::uint64_t kAt = (std::uint64_t{6} << 30) + 12'345;
  const bool copied = GENERATE(false, true);
  TempFolder folder;
  folder.write("big", "start");
  const std::string end = pattern(600'000);
  folder.overwrite("big", end, kAt);
  folder.make_cold("big");

  struct Maker final : sluice::Handler {
    explicit Maker(sluice::SendfileParts& parts_in, FileRef file_in)
        : parts(parts_in), file(std::move(file_in)) {}
    void handle(sluice::Exchange& exchange) override {
      exchange.stream(500'000, new sluice::SendfileBody(parts, file, kAt + 50'000, 500'000, exchange.ticket()));
    }
    sluice::SendfileParts& parts;
    FileRef file;
  };

  sluice::test::FakeServer server;
  sluice::test::FakeHost host(server, {});
  {
    sluice::SendfileParts parts(host);
    OwnedFd fd(open((folder / "big").c_str(), O_RDONLY | O_CLOEXEC));
    FileFacts facts;
    REQUIRE(read_facts(fd.get(), facts) == 0);
    REQUIRE(facts.size == kAt + end.size());
    const auto shared = std::make_shared<sluice::files::OpenFilesState>();
    shared->threads_usable = false;
    const FileRef file = OpenFile::make(host, shared, std::move(fd), facts, "big", "x/y");
    Maker maker(parts, file);
    RequestPlan plan;
    plan.sink.no_send_file = copied;
    FakeExchange exchange(server, std::move(plan));
    exchange.begin(maker);
    REQUIRE(server.run_until([&] { return exchange.ended() && host.holds == 0; }));
    CHECK(exchange.complete);
    CHECK((exchange.content == end.substr(50'000, 500'000)));
  }
}
