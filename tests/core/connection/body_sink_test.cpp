// The content of bodies is framed, stays within the budget and the declared size, and arrives byte for byte
// over a slow socket.
#include "connection/body_sink.h"

#include <sys/mman.h>
#include <sys/socket.h>

#include <catch2/catch.hpp>
#include <string>

using namespace sluice;

namespace {

struct Fixture {
  BufferPool pool{4096};
  Output output{pool};
  UniqueFd client;
  std::unique_ptr<Transport> transport;
  BodyFraming framing;
  std::uint64_t budget = 1 << 20;
  std::string arrived;

  Fixture() {
    int ends[2];
    REQUIRE(::socketpair(AF_UNIX, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0, ends) == 0);
    const int small = 4096;
    ::setsockopt(ends[1], SOL_SOCKET, SO_SNDBUF, &small, sizeof(small));
    client.reset(ends[0]);
    transport = std::make_unique<Transport>(UniqueFd(ends[1]));
  }
  ~Fixture() { output.consume(output.pending().size()); }
  BodySink sink() { return {output, *transport, framing, budget}; }
  void drain() {
    char buffer[8192];
    for (ssize_t got = 0; (got = ::recv(client.get(), buffer, sizeof(buffer), 0)) > 0;) {
      arrived.append(buffer, static_cast<std::size_t>(got));
    }
  }
  // Writes everything, as a body would: again from where the sink stopped.
  void write_all(const std::string& content, std::size_t piece_size) {
    for (std::size_t at = 0; at < content.size();) {
      BodySink current = sink();
      const Bytes pieces[2] = {std::string_view(content).substr(at, piece_size),
                               std::string_view(content).substr(std::min(at + piece_size, content.size()), 7)};
      const Moved moved = current.write(pieces, 2);
      REQUIRE(moved.status != Io::lost);
      at += moved.size;
      budget = 1 << 20;
      drain();
    }
  }
  void flush() {
    while (!output.empty()) {
      output.flush(*transport, false);
      drain();
    }
  }
};

std::string pattern(std::size_t size) {
  std::string text(size, '\0');
  for (std::size_t i = 0; i < size; ++i) text[i] = static_cast<char>('a' + i * 7 % 23);
  return text;
}

// Empty if the chunks are malformed.
std::string dechunk(std::string_view text) {
  std::string content;
  while (true) {
    const std::size_t line = text.find("\r\n");
    if (line == std::string_view::npos) return {};
    const std::size_t size = std::stoul(std::string(text.substr(0, line)), nullptr, 16);
    text.remove_prefix(line + 2);
    if (text.substr(size, 2) != "\r\n") return {};
    if (size == 0) return text.size() == 2 ? content : std::string();
    content += text.substr(0, size);
    text.remove_prefix(size + 2);
  }
}

}  // namespace

TEST_CASE_METHOD(Fixture, "declared content arrives byte for byte", "[body_sink]") {
  const std::string content = pattern(200'000);
  const std::size_t piece = GENERATE(std::size_t{1000}, std::size_t{5000}, std::size_t{100'000});
  framing = {Framing::length, content.size()};
  write_all(content, piece);
  flush();
  CHECK(framing.remaining == 0);
  CHECK_FALSE(framing.overrun);
  CHECK((arrived == content));
}

TEST_CASE_METHOD(Fixture, "chunks have the written content, and a last chunk ends them", "[body_sink]") {
  const std::string content = pattern(50'000);
  const std::size_t piece = GENERATE(std::size_t{1}, std::size_t{700}, std::size_t{50'000});
  framing = {Framing::chunked, kUnknownSize};
  write_all(content, piece);
  Io io = Io::full;
  while (io == Io::full) {
    io = sink().finish();
    drain();
  }
  flush();
  CHECK((dechunk(arrived) == content));
}

TEST_CASE_METHOD(Fixture, "nothing beyond the declared size is sent", "[body_sink]") {
  framing = {Framing::length, 5};
  BodySink current = sink();
  const Bytes piece("0123456789");
  CHECK(current.write(&piece, 1).size == 5);
  CHECK(framing.overrun);
  flush();
  CHECK(arrived == "01234");
}

TEST_CASE_METHOD(Fixture, "the budget of a turn is kept", "[body_sink]") {
  framing = {Framing::length, 1000};
  budget = 10;
  BodySink current = sink();
  CHECK(current.room() == 10);
  const std::string content = pattern(100);
  const Bytes piece(content);
  const Moved moved = current.write(&piece, 1);
  CHECK(moved.size == 10);
  CHECK(moved.status == Io::full);
  CHECK_FALSE(current.is_full());
  CHECK(current.room() == 0);
  CHECK(current.write(&piece, 1).size == 0);
}

TEST_CASE_METHOD(Fixture, "files leave after the output before them, and a short file is reported",
                 "[body_sink]") {
  const UniqueFd file(::memfd_create("body", MFD_CLOEXEC));
  const std::string content = pattern(3000);
  REQUIRE(::write(file.get(), content.data(), content.size()) == 3000);
  output.append("head|");
  framing = {Framing::length, 2000};
  BodySink current = sink();
  const Moved moved = current.send_file(file.get(), 500, 2000);
  CHECK(moved.size == 2000);
  CHECK(moved.status == Io::ok);
  drain();
  CHECK((arrived == "head|" + content.substr(500, 2000)));
  framing = {Framing::length, 5000};
  BodySink next = sink();
  const Moved cut = next.send_file(file.get(), 2500, 5000);
  CHECK(cut.size == 500);
  CHECK(cut.status == Io::short_file);
  framing = {Framing::chunked, kUnknownSize};
  BodySink chunked = sink();
  CHECK(chunked.send_file(file.get(), 0, 10).status == Io::unsupported);
}

TEST_CASE_METHOD(Fixture, "a client that is gone is noticed, without a signal", "[body_sink]") {
  client.reset();
  framing = {Framing::length, 100'000};
  BodySink current = sink();
  const std::string content = pattern(100'000);
  const Bytes piece(content);
  CHECK(current.write(&piece, 1).status == Io::lost);
  CHECK(current.is_lost());
  CHECK(current.room() == 0);
}
