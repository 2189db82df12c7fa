#include "loop/deadlines.h"

#include <algorithm>

namespace sluice {

Deadlines::Deadlines(Counter* waits) {
  for (unsigned i = 0; i < kDeadlineKinds; ++i) {
    queues_[i].kind_ = static_cast<DeadlineKind>(i);
    queues_[i].waiting_ = waits == nullptr ? nullptr : waits + i;
  }
}

Deadlines::~Deadlines() {
  for (DeadlineQueue& ring : queues_) {
    while (ring.next_ != &ring) ring.next_->unlink();
  }
}

void Deadlines::set_duration(DeadlineKind kind, std::uint64_t duration_ms) {
  durations_ms_[static_cast<unsigned>(kind)] = duration_ms;
}

void Deadlines::set_durations(const Timeouts& timeouts) {
  set_duration(DeadlineKind::head, timeouts.head_ms);
  set_duration(DeadlineKind::body, timeouts.body_ms);
  set_duration(DeadlineKind::send, (timeouts.send_ms + kSendLooks - 1) / kSendLooks);
  set_duration(DeadlineKind::keepalive, timeouts.keepalive_ms);
  set_duration(DeadlineKind::handler, timeouts.handler_ms);
  set_duration(DeadlineKind::linger, timeouts.linger_ms);
  set_duration(DeadlineKind::tunnel, timeouts.tunnel_ms);
}

void Deadlines::arm(DeadlineNode& node, DeadlineKind kind, std::uint64_t now_ms) {
  node.unlink();
  node.due_ms_ = now_ms + durations_ms_[static_cast<unsigned>(kind)];
  link(node, queue(kind), queue(kind));
}

// No other node is due earlier, except those that are late already.
void Deadlines::arm_due(DeadlineNode& node, DeadlineKind kind, std::uint64_t now_ms) {
  node.unlink();
  node.due_ms_ = now_ms;
  link(node, queue(kind), *queue(kind).next_);
}

void Deadlines::link(DeadlineNode& node, DeadlineQueue& queue, DeadlineNode& before) {
  node.queue_ = &queue;
  if (queue.waiting_ != nullptr) queue.waiting_->add();
  node.prev_ = before.prev_;
  node.next_ = &before;
  before.prev_->next_ = &node;
  before.prev_ = &node;
}

std::uint64_t Deadlines::next_due_ms() const {
  std::uint64_t earliest = kNone;
  for (const DeadlineQueue& ring : queues_) {
    if (ring.next_ != &ring) earliest = std::min(earliest, ring.next_->due_ms_);
  }
  return earliest;
}

void Deadlines::expire(std::uint64_t now_ms) {
  unsigned left = kExpiredMax;
  for (DeadlineQueue& ring : queues_) {
    for (; left > 0 && ring.next_ != &ring && ring.next_->due_ms_ <= now_ms; --left) {
      DeadlineNode& node = *ring.next_;
      node.unlink();
      node.on_deadline(ring.kind_);
    }
  }
}

}  // namespace sluice
