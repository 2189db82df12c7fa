// The sink of a FakeExchange: one call of its body or transform. Thread and violations as there.
#pragma once

#include <sys/uio.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <string>
#include <vector>

#include "http/http_fields.h"
#include "support/fake_exchange.h"
#include "support/fake_head.h"

namespace sluice::test {

class FakeExchange::FakeSink final : public Sink {
 public:
  FakeSink(FakeExchange& exchange, std::uint64_t socket)
      : exchange_(exchange), room_(exchange.plan_.sink.room), socket_(socket) {}

  std::uint64_t room() const override { return full_ ? 0 : std::min(room_, left()); }

  Moved write(const Bytes* pieces, std::uint32_t count) override {
    std::uint64_t taken = 0;
    for (std::uint32_t i = 0; i < count; ++i) {
      const std::uint64_t part = admit(pieces[i].size);
      keep({pieces[i].data, static_cast<std::size_t>(part)});
      taken += part;
      if (part < pieces[i].size) return {taken, Io::full};
    }
    return {taken, Io::ok};
  }

  Moved send_file(int fd, std::uint64_t offset, std::uint64_t size) override {
    if (exchange_.plan_.sink.no_send_file) return {0, Io::unsupported};
    const std::uint64_t part = admit(size);
    std::uint64_t done = 0;
    std::vector<char> buffer(64 * 1024);
    while (done < part) {
      iovec into{buffer.data(), std::min<std::uint64_t>(buffer.size(), part - done)};
      const auto at = static_cast<off_t>(offset + done);
      ssize_t got = preadv2(fd, &into, 1, at, RWF_NOWAIT);
      if (got < 0) {
        if (errno == EAGAIN) ++exchange_.cold_sends;
        got = pread(fd, into.iov_base, into.iov_len, at);
      }
      if (got <= 0) return {done, Io::short_file};
      keep({buffer.data(), static_cast<std::size_t>(got)});
      done += static_cast<std::uint64_t>(got);
    }
    if (done > 0) ++exchange_.files_sent;
    return {done, part < size ? Io::full : Io::ok};
  }

  bool trailer(Bytes name, Bytes value) override {
    if (exchange_.declared != kUnknownSize || why_not_sendable(name, value) != nullptr) return false;
    exchange_.trailers.emplace_back(copy(name), copy(value));
    return true;
  }

 private:
  std::uint64_t left() const {
    return exchange_.declared == kUnknownSize ? kUnknownSize : exchange_.declared - exchange_.received;
  }

  // Returns how many of `size` bytes are taken now, and counts them.
  std::uint64_t admit(std::uint64_t size) {
    if (size > left()) exchange_.server_.violation("the body wrote more than it declared");
    const std::uint64_t part = std::min({size, room(), socket_});
    room_ -= part;
    socket_ -= part;
    if (part < size) full_ = true;
    return part;
  }

  void keep(std::string_view bytes) {
    exchange_.received += bytes.size();
    if (!exchange_.plan_.sink.discard) exchange_.content.append(bytes);
  }

  FakeExchange& exchange_;
  std::uint64_t room_;
  std::uint64_t socket_;
  bool full_ = false;
};

}  // namespace sluice::test
