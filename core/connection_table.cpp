// The connections of one worker, and the conversations that they borrow.
#include "connection.h"
#include "conversation.h"

#include <algorithm>
#include <utility>

namespace sluice {
namespace {

constexpr std::uint64_t kRetryMinMs = 5;
constexpr std::uint64_t kRetryMaxMs = 500;

}  // namespace

ConnectionTable::ConnectionTable(ConnectionContext& context) : context_(context) {}

ConnectionTable::~ConnectionTable() {
  context_.loop.timers().cancel(retry_);
}

void ConnectionTable::retry(const Connection& connection) {
  starved_.push_back(connection.index_);
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

void ConnectionTable::accept(UniqueFd socket) {
  std::uint32_t index = 0;
  if (free_.empty()) {
    index = static_cast<std::uint32_t>(slots_.size());
    slots_.emplace_back();
  } else {
    index = free_.back();
    free_.pop_back();
  }
  slots_[index] = std::make_unique<Connection>(context_, *this, index, std::move(socket));
  ++open_;
  context_.stats.connections_accepted.add();
  context_.stats.connections_open.set(open_);
  slots_[index]->start();
}

void ConnectionTable::resume(Ticket ticket) {
  const auto index = static_cast<std::uint32_t>(ticket.value >> 32);
  if (index < slots_.size() && slots_[index] != nullptr)
    slots_[index]->wake(static_cast<std::uint32_t>(ticket.value));
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

void ConnectionTable::close_all() {
  for (std::size_t i = 0; i < slots_.size(); ++i) {
    if (slots_[i] != nullptr && slots_[i]->state() != State::closed) {
      slots_[i]->lose();
      slots_[i]->advance();
    }
  }
}

void ConnectionTable::remove(Connection& connection) {
  const std::uint32_t index = connection.index_;
  free_.push_back(index);
  --open_;
  context_.stats.connections_open.set(open_);
  context_.loop.reap(std::move(slots_[index]));
}

std::unique_ptr<Conversation> ConnectionTable::take_conversation() {
  if (spare_.empty()) return std::make_unique<Conversation>(context_.inputs, context_.outputs, context_.limits);
  std::unique_ptr<Conversation> conversation = std::move(spare_.back());
  spare_.pop_back();
  return conversation;
}

void ConnectionTable::give_conversation(std::unique_ptr<Conversation> conversation) {
  constexpr std::size_t kSpareMax = 256;
  conversation->exchange.end();
  if (spare_.size() >= kSpareMax) return;
  conversation->output.consume(conversation->output.pending().size());
  conversation->output.release();
  conversation->input.release();
  conversation->next_request();
  spare_.push_back(std::move(conversation));
}

}  // namespace sluice
