// What a transport keeps for TLS: its stream, records that the socket has not taken, and a step of the
// handshake that a thread computes.
//
// Loop thread. Owned by its transport.
#pragma once

#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <string_view>

#include "base/paced_log.h"
#include "loop/event_loop.h"
#include "loop/offload.h"
#include "transport/tls_context.h"
#include "transport/tls_stream.h"

namespace sluice {

// Tells of failed handshakes, one line a second at most.
class HandshakeLog {
 public:
  // `name` is what the client has asked for.
  void note(const std::string& client, std::string_view name, std::string_view reason, std::uint64_t now_ms);

 private:
  PacedLog lines_;
};

// What all TLS connections of a worker use; lives longer than they do.
struct TlsServices {
  TlsContext& context;
  EventLoop& loop;
  Offload& offload;
  HandshakeLog& log;
};

class TlsLink {
 public:
  static constexpr std::size_t kRecordMax = 16 * 1024;  // of content

  // Throws std::bad_alloc.
  TlsLink(TlsServices& services, int socket);
  // A step that a thread still computes is thrown away when it comes back.
  ~TlsLink();
  TlsLink(const TlsLink&) = delete;
  TlsLink& operator=(const TlsLink&) = delete;

  TlsServices& services() { return services_; }
  // The client has said nothing yet.
  bool is_untouched() const { return !touched_; }
  void touch() { touched_ = true; }
  bool is_computing() const { return work_ != nullptr; }
  // REQUIRES: !is_computing().
  TlsStream& stream() { return *stream_; }
  // The next step of the handshake, be it computed here or come back from a thread.
  TlsStream::Handshake step(std::string& out);
  // Computes the next step on a thread, and has `waiter` called afterwards. False when no thread has room.
  bool compute(Ready& waiter);

  // Records that the socket has not taken.
  std::string_view unsent() const { return std::string_view(unsent_).substr(unsent_begin_); }
  void keep(std::string_view records) { unsent_.append(records); }
  void use(std::size_t size);

  // How much the next record holds. The first ones of a burst are small, so that a client whose window is small
  // can decipher each packet when it comes.
  std::size_t record_size(std::uint64_t now_ms);
  void count(std::size_t sent) { burst_ += sent; }

 private:
  class Computation;
  void came_back(std::unique_ptr<TlsStream> stream, std::string out, TlsStream::Handshake result);

  TlsServices& services_;
  std::unique_ptr<TlsStream> stream_;
  Computation* work_ = nullptr;  // belongs to Offload
  std::optional<TlsStream::Handshake> result_;
  std::string computed_;  // output of the step that came back
  std::string unsent_;
  std::size_t unsent_begin_ = 0;
  bool touched_ = false;
  std::uint64_t burst_ = 0;  // sent since the client was idle
  std::uint64_t sent_ms_ = 0;
};

}  // namespace sluice
