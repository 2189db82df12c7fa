// Reads that wait for buffers, and readers that give theirs up.
#include "common/reading/read_queue.h"

#include <fcntl.h>

#include <catch2/catch.hpp>
#include <vector>

#include "support/fake_host.h"
#include "support/temp_folder.h"

using namespace sluice::files;
using sluice::test::FakeHost;
using sluice::test::FakeServer;

namespace {

// Holds a buffer while it waits for another read.
struct Slow final : BufferUser {
  Slow(ReadQueue& queue, FileRef file) : queue(queue), buffer(queue.take_buffer()), place(queue.enter(*this)) {
    read->file = std::move(file);
    read->user = this;
    read->size = kBufferSize;
  }
  void read_finished() override {}
  void give_up_buffers() override {
    queue.leave(place);
    queue.drop(read);
    queue.give_back(std::move(buffer));
  }

  ReadQueue& queue;
  BufferRef buffer;
  ReadQueue::Place place;
  ReadRef read = std::make_shared<Read>();
};

}  // namespace

TEST_CASE("a read that is dropped while a buffer is looked for is not started", "[read_queue]") {
  FakeServer server;
  FakeHost host(server, {});
  ReadQueue queue(host);
  const sluice::test::TempFolder folder;
  folder.write("file", "content");
  OwnedFd fd(open((folder / "file").c_str(), O_RDONLY | O_CLOEXEC));
  FileFacts facts;
  REQUIRE(read_facts(fd.get(), facts) == 0);
  const auto shared = std::make_shared<OpenFilesState>();
  shared->threads_usable = false;
  Slow slow(queue, OpenFile::make(host, shared, std::move(fd), facts, "file", "x/y"));
  std::vector<BufferRef> others;
  for (std::size_t i = 1; i < ReadQueue::kBuffersMax; ++i) others.push_back(queue.take_buffer());
  server.advance_clock(ReadQueue::kHoldMsMin);
  server.turn(0);
  queue.ask(slow.read);
  CHECK(slow.read->state == Read::State::finished);
  CHECK(slow.read->buffer == nullptr);
  CHECK(server.works_offered == 0);
  const BufferRef free = queue.take_buffer();
  CHECK(free != nullptr);
  CHECK(queue.take_buffer() == nullptr);
}
