#include "connection/connection_table.h"

#include <algorithm>
#include <utility>

#include "base/out_of_memory.h"
#include "connection/http1_session.h"

namespace sluice {
namespace {

constexpr std::uint64_t kRetryMinMs = 5;
constexpr std::uint64_t kRetryMaxMs = 500;

}  // namespace

ConnectionTable::ConnectionTable(const ConnectionContext& context) : context_(context), http2_(context) {
  spare_.reserve(kSpareMax);
}

ConnectionTable::~ConnectionTable() {
  context_.loop.timers().cancel(retry_);
}

void ConnectionTable::retry(std::uint32_t index) {
  starved_.push_back(index);
  if (retry_.value != 0) return;
  const std::uint64_t now_ms = context_.loop.now_ms();
  const bool in_vain = now_ms - retried_ms_ < kRetryMaxMs;
  retry_delay_ms_ = in_vain ? std::min(2 * retry_delay_ms_, kRetryMaxMs) : kRetryMinMs;
  retry_ = context_.loop.timers().start(now_ms + retry_delay_ms_, *this);
}

void ConnectionTable::fired() {
  retry_ = TimerId{};
  retried_ms_ = context_.loop.now_ms();
  for (const std::uint32_t index : std::exchange(starved_, {})) {
    if (slots_[index] != nullptr) slots_[index]->try_again();
  }
}

void ConnectionTable::accept(AcceptedSocket socket, const AddressContext& at) {
  const bool made = unless_out_of_memory("memory is used up: a new connection is closed", [&] {
    if (free_.empty()) add_slot();
    const std::uint32_t index = free_.back();
    ConnectionOwner& owner = *this;
    slots_[index] =
        std::make_unique<Connection>(context_.loop, context_.limits, owner, index, std::move(socket), at);
  });
  if (!made) return context_.stats.connections_refused.add();
  const std::uint32_t index = free_.back();
  free_.pop_back();
  ++open_;
  context_.stats.connections_accepted.add();
  context_.stats.connections_open.set(open_);
  slots_[index]->start();
}

// Reserves room in free_ for all slots, so that removing a connection never needs memory.
void ConnectionTable::add_slot() {
  const std::size_t size = slots_.size() + 1;
  if (free_.capacity() < size) free_.reserve(2 * size);
  slots_.emplace_back();
  free_.push_back(static_cast<std::uint32_t>(size - 1));
}

void ConnectionTable::resume(Ticket ticket, const ModuleInstance& from) {
  const auto index = static_cast<std::uint32_t>(ticket.value >> 32);
  if (index < slots_.size()) {
    if (slots_[index] != nullptr) slots_[index]->wake(ticket, from);
  } else if (other_ != nullptr) {
    other_->resume(ticket, from);
  }
}

bool ConnectionTable::close_idle() {
  unsigned left = kIdleClosedMax;
  for (; idle_from_ < slots_.size() && left > 0; ++idle_from_) {
    if (slots_[idle_from_] != nullptr && slots_[idle_from_]->close_if_idle()) --left;
  }
  if (left == 0) return true;
  idle_from_ = 0;
  return false;
}

bool ConnectionTable::ask_to_leave() {
  unsigned left = kIdleClosedMax;
  for (; leaving_from_ < slots_.size() && left > 0; ++leaving_from_) {
    if (slots_[leaving_from_] != nullptr && slots_[leaving_from_]->ask_to_leave()) --left;
  }
  return left == 0;
}

// Deadlines of one kind are in order of their age. Connections between two requests have a keepalive deadline,
// and those that have never sent a byte a head deadline.
bool ConnectionTable::make_room() {
  constexpr int kLookedAtMax = 64;
  Deadlines& deadlines = context_.loop.deadlines();
  for (const DeadlineKind kind : {DeadlineKind::keepalive, DeadlineKind::head}) {
    DeadlineNode* node = deadlines.first(kind);
    for (int i = 0; i < kLookedAtMax && node != nullptr; ++i, node = deadlines.after(*node)) {
      if (static_cast<Connection*>(node)->give_way()) return true;  // no stream has these kinds
    }
  }
  return false;
}

bool ConnectionTable::end_streams() {
  unsigned left = kIdleClosedMax;
  for (; streams_from_ < slots_.size() && left > 0; ++streams_from_) {
    if (slots_[streams_from_] != nullptr && slots_[streams_from_]->end_stream()) --left;
  }
  if (left == 0) return true;
  streams_from_ = 0;
  return false;
}

void ConnectionTable::close_all() {
  for (std::size_t i = 0; i < slots_.size(); ++i) {
    if (slots_[i] != nullptr) slots_[i]->cut();
  }
}

// It is in the log of the site whose name was asked for, as a request would be.
void ConnectionTable::handshake_failed(const Channel& channel, std::uint32_t index, std::uint32_t status,
                                       std::string_view reason) {
  const std::uint32_t at = channel.site_of_connection();
  if (context_.access == nullptr || at >= context_.sites.size()) return;
  const SitePlan& site = context_.sites[at];
  if (!context_.access->wants(site)) return;
  const bool logged = unless_out_of_memory("memory is used up: a line of the access log is lost", [&] {
    RequestHead none;
    none.version = 0;
    const std::string client = channel.transport().peer_name();
    AccessFacts facts{none, client};
    facts.status = status;
    facts.ending = "failed_handshake";
    facts.why = reason;
    facts.site = site.label;
    facts.connection = std::uint64_t{index} + 1;
    facts.secure = true;
    context_.access->record(site, facts);
  });
  if (!logged) context_.access->lose();
}

void ConnectionTable::closed(std::uint32_t index) {
  free_.push_back(index);
  --open_;
  context_.stats.connections_open.set(open_);
  context_.loop.reap(std::move(slots_[index]));
}

std::unique_ptr<Session> ConnectionTable::take_session(bool http2) {
  if (http2) return std::make_unique<Http2Session>(http2_);
  if (spare_.empty()) return std::make_unique<Http1Session>(context_);
  std::unique_ptr<Session> session = std::move(spare_.back());
  spare_.pop_back();
  return session;
}

void ConnectionTable::give_session(std::unique_ptr<Session> session) {
  session->reset();
  // The session may be the caller, so it is destroyed at the end of the turn.
  if (!session->is_reusable() || spare_.size() >= kSpareMax) return context_.loop.reap(std::move(session));
  spare_.push_back(std::move(session));
}

}  // namespace sluice
