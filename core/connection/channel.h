// A connection's socket, as its session sees it: whether it can receive and send, and how many bytes both may
// still move in this turn.
//
// Loop thread. Owned by its connection, which passes events on to it.
#pragma once

#include <algorithm>
#include <utility>

#include "connection/address_context.h"
#include "http/refusal.h"
#include "loop/event_loop.h"
#include "transport/input.h"
#include "transport/output.h"
#include "transport/transport.h"

namespace sluice {

class Channel {
 public:
  // `at` lives longer.
  Channel(EventLoop& loop, AcceptedSocket socket, const AddressContext& at)
      : loop_(loop), at_(at), transport_(std::move(socket), at.tls) {}

  // The address at which the client has connected.
  const AddressContext& address() const { return at_; }

  // The site of this host, which has no port; SiteNames::kNoSite if nobody has the name, or not on this
  // connection: then `refusal` says why.
  std::uint32_t find_site(std::string_view host, Refusal& refusal) const;

  // The site that stands for the connection until a request names one: that of the name that TLS was asked
  // for, else the default one of the address.
  std::uint32_t site_of_connection() const;

  Transport& transport() { return transport_; }
  const Transport& transport() const { return transport_; }
  // How many bytes may still be moved in this turn.
  std::uint64_t& budget() { return budget_; }

  // Whether the socket may have something to receive.
  bool input_ready() const { return input_ready_; }
  // Whether the socket may have room to send.
  bool output_ready() const { return output_ready_; }
  void output_is_full() { output_ready_ = false; }
  // Whether the client has ended its side, and all its bytes were received.
  bool input_ended() const { return input_ended_; }
  // Whether the client has sent its last byte, received or not.
  bool client_has_ended() const { return read_to_end_ || input_ended_; }

  void take_events(std::uint32_t events);
  // Tries to receive and send again after the kernel had no memory.
  void try_again() { input_ready_ = output_ready_ = true; }
  // Whether anything was received since the last call.
  bool take_received() { return std::exchange(received_, false); }

  // full: nothing has arrived. ok may mean that the client has ended.
  Io receive(Input& input);
  // The same, also while the client does not take what was sent. The caller bounds what it causes.
  Io receive_anyway(Input& input);
  // ok: nothing is left, in the transport neither.
  Io flush(Output& output);
  Io flush();
  // The same, and nothing follows.
  Io flush_last(Output& output);
  Io flush_last();
  // Whether the client's bytes begin behind the header of a proxy (http/proxy_header.h).
  bool has_proxy() const {
    return at_.proxies != nullptr && at_.proxies->networks.has(transport_.peer_address());
  }
  enum class Introduction : std::uint8_t { done, waits, refused, lost };
  // Takes the header off what has come, and the client's address from it. After `refused`, `reason` says why;
  // it is empty if the proxy has said nothing at all.
  Introduction hear_proxy(std::string_view& reason);
  // As Transport::shake_hands.
  Transport::Handshake shake_hands(Ready& waiter);

 private:
  Io note(Io io);

  EventLoop& loop_;
  const AddressContext& at_;
  Transport transport_;
  std::uint64_t budget_ = 0;
  bool input_ready_ = true;
  bool announced_ = false;  // epoll has reported the bytes that are received next
  bool output_ready_ = true;
  bool read_to_end_ = false;  // the client has ended or reset, so receiving goes on after a short receive
  bool input_ended_ = false;
  bool received_ = false;
};

}  // namespace sluice
