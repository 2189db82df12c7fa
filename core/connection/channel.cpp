#include "connection/channel.h"

#include <sys/epoll.h>

#include <array>

#include "http/proxy_header.h"

namespace sluice {

std::uint32_t Channel::find_site(std::string_view host, Refusal& refusal) const {
  const SiteNames& sites = at_.sites;
  const std::uint32_t site = sites.find(host);
  if (site == SiteNames::kNoSite) {
    refusal = {421, "No site of this server has that name."};
  } else if (!sites.is_single() && !transport_.is_for(host)) {
    refusal = {421, "This connection was made for another name: connect again, for this one."};
    return SiteNames::kNoSite;
  }
  return site;
}

std::uint32_t Channel::site_of_connection() const {
  const std::string_view name = transport_.asked_name();
  const std::uint32_t site = name.empty() ? SiteNames::kNoSite : at_.sites.find(name);
  return site == SiteNames::kNoSite ? at_.sites.some_site() : site;
}

void Channel::take_events(std::uint32_t events) {
  if ((events & (EPOLLIN | EPOLLRDHUP | EPOLLHUP | EPOLLERR)) != 0) input_ready_ = true;
  if ((events & EPOLLIN) != 0) announced_ = true;
  if ((events & (EPOLLRDHUP | EPOLLHUP | EPOLLERR)) != 0) read_to_end_ = true;
  if ((events & EPOLLOUT) != 0) output_ready_ = true;
}

Io Channel::receive(Input& input) {
  if (!input_ready_) return Io::full;
  // A client that does not take what it has caused causes no more.
  if (const Io io = flush(); io != Io::ok) return io;
  return receive_anyway(input);
}

Io Channel::receive_anyway(Input& input) {
  if (!input_ready_) return Io::full;
  bool filled = false;
  const std::uint64_t announced_ns = announced_ ? loop_.now_ns() : 0;
  const Moved moved = input.receive(transport_, announced_ns, filled);
  announced_ = false;
  if (moved.status != Io::ok) {
    input_ready_ = false;
    return moved.status;
  }
  input_ended_ = moved.size == 0;
  // After a short receive nothing is left, and the next bytes come with an edge. But if the edge of the
  // client's end has passed already, no other comes.
  read_to_end_ = read_to_end_ || transport_.peer_has_ended();
  if (input_ended_ || (!filled && !read_to_end_)) input_ready_ = false;
  received_ = true;
  budget_ -= std::min<std::uint64_t>(budget_, moved.size);
  return Io::ok;
}

Io Channel::note(Io io) {
  if (io == Io::full) output_ready_ = false;
  return io;
}

Io Channel::flush(Output& output) {
  if (output.empty()) return flush();
  return output_ready_ ? note(output.flush(transport_, false)) : Io::full;
}

Io Channel::flush() {
  if (!transport_.has_unsent()) return Io::ok;
  return output_ready_ ? note(transport_.flush()) : Io::full;
}

Io Channel::flush_last(Output& output) {
  if (!output_ready_) return Io::full;
  const Moved moved = transport_.send_last(output.pending());
  output.consume(moved.size);
  return note(moved.status);
}

Io Channel::flush_last() {
  return output_ready_ ? note(transport_.send_last({}).status) : Io::full;
}

// Each time all bytes are looked at anew, and nothing of them is kept: a header is short, and mostly comes at
// once. What does not come whole is announced by an edge, because nothing was received.
Channel::Introduction Channel::hear_proxy(std::string_view& reason) {
  static_assert(ProxyHeader::kSizeMax <= Transport::kSkippedMax);
  if (!input_ready_) return Introduction::waits;
  std::array<char, ProxyHeader::kSizeMax> bytes;
  const Moved seen = transport_.peek(bytes.data(), bytes.size());
  if (seen.status == Io::lost) return Introduction::lost;
  input_ready_ = false;
  if (seen.status == Io::full) return Introduction::waits;
  if (seen.size == 0) return Introduction::refused;
  const ProxyHeader header = parse_proxy_header({bytes.data(), static_cast<std::size_t>(seen.size)});
  reason = header.reason;
  if (header.outcome == ProxyHeader::Outcome::refused) return Introduction::refused;
  if (header.outcome == ProxyHeader::Outcome::incomplete) {
    if (!read_to_end_) return Introduction::waits;
    reason = "its PROXY header has no end";
    return Introduction::refused;
  }
  if (transport_.skip(header.size) != Io::ok) return Introduction::lost;
  // A proxy on another host may have clients within its own host, who are none of this one.
  const bool told =
      header.client && (!header.client->is_within_host() || transport_.peer_address().is_within_host());
  if (told) transport_.introduce(*header.client);
  input_ready_ = true;
  return Introduction::done;
}

Transport::Handshake Channel::shake_hands(Ready& waiter) {
  Transport::Handshake progress = transport_.shake_hands(waiter, input_ready_);
  if (read_to_end_) {
    // No other edge comes, so the end itself is received.
    input_ready_ = true;
    if (progress == Transport::Handshake::needs_bytes) progress = transport_.shake_hands(waiter, input_ready_);
  }
  if (progress == Transport::Handshake::needs_room) note(Io::full);
  return progress;
}

}  // namespace sluice
