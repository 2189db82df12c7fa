// What the streams of one HTTP/2 connection share: nghttp2's session, and the way of frames to the output.
//
// Loop thread. Owned by the session, which outlives its streams.
#pragma once

#include <nghttp2/nghttp2.h>

#include <cstdint>
#include <memory>
#include <new>
#include <string_view>
#include <vector>

#include "connection/connection_context.h"
#include "connection/session.h"
#include "http/http2_fields.h"

namespace sluice {

class Http2Stream;

// Throws std::bad_alloc when nghttp2 had no memory for what it was asked. It must not pass through nghttp2.
inline void need(int result) {
  if (result == NGHTTP2_ERR_NOMEM) throw std::bad_alloc();
}

// What the HTTP/2 connections of a worker share. Loop thread; outlives them.
struct Http2Common {
  // Content of a frame that stands behind a head which may still be taken back. Used within one call.
  std::unique_ptr<char[]> staging;
  Http2ResponseFields response;
  BufferPool outputs;
  const ConnectionContext& context;

  explicit Http2Common(const ConnectionContext& connections);
};

class Http2Link {
 public:
  static constexpr std::size_t kFrameHead = 9;           // RFC 9113 section 4.1
  static constexpr std::size_t kContentMax = 16 * 1024;  // of a DATA frame; each client takes that
  static constexpr std::size_t kFrames = 8;              // full ones that the output has room for
  static constexpr std::size_t kOutputSize = kFrames * (kFrameHead + kContentMax) + 32 * 1024;

  Http2Link(Http2Common& common, Output& output) : common_(common), output_(output) {}

  void begin(Channel& channel, SessionHost& host) {
    channel_ = &channel;
    host_ = &host;
    quantum_ = 0;
    content_sent = 0;
    stuck_ = {};
  }
  void use(nghttp2_session* session) { session_ = session; }

  const ConnectionContext& context() const { return common_.context; }
  Http2Common& common() { return common_; }
  Channel& channel() { return *channel_; }
  const Channel& channel() const { return *channel_; }
  SessionHost& host() { return *host_; }
  nghttp2_session* session() { return session_; }
  Output& output() { return output_; }

  // How much content the stream that runs may still send before it is another's turn.
  std::uint64_t& quantum() { return quantum_; }

  // Moves the frames that nghttp2 has ready to the output. full: the socket takes no more, and some are left.
  // lost: the connection is broken.
  Io drain();
  // Whether the output has all that nghttp2 had ready at the last `drain`.
  bool is_drained() const { return stuck_.empty(); }
  // Makes room in the output, if the socket takes something. full: there is less.
  Io make_room(std::size_t size);

  // How much content of all streams was sent.
  std::uint64_t content_sent = 0;
  // The stream whose deadline has passed.
  Http2Stream* late = nullptr;
  // Streams that nghttp2 has closed, and that were not yet looked at.
  std::vector<Http2Stream*> closed;

 private:
  Http2Common& common_;
  Output& output_;
  Channel* channel_ = nullptr;
  SessionHost* host_ = nullptr;
  nghttp2_session* session_ = nullptr;
  std::uint64_t quantum_ = 0;
  std::string_view stuck_;  // the rest of a frame that the output had no room for; nghttp2's until the next one
};

}  // namespace sluice
