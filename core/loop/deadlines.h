// Finds what has waited too long, and counts what waits. There is one queue for each kind of time-out.
//
// All waits of one kind last equally long, so each queue is in order of due time without sorting. Arming
// appends, and expiry looks at the front: both cost a few pointers. A node is in one queue at most. Loop
// thread only.
#pragma once

#include <array>
#include <cstdint>

#include "settings/settings.h"
#include "telemetry/worker_stats.h"

namespace sluice {

enum class DeadlineKind : std::uint8_t { head, body, send, keepalive, handler, linger, tunnel };
inline constexpr unsigned kDeadlineKinds = 7;
static_assert(kDeadlineKinds == kWaits.size());

class Deadlines;
class DeadlineQueue;

// Something that can be late. Derive from it; it unlinks itself when it is destroyed.
class DeadlineNode {
 public:
  DeadlineNode() = default;
  DeadlineNode(const DeadlineNode&) = delete;
  DeadlineNode& operator=(const DeadlineNode&) = delete;

  bool armed() const { return next_ != nullptr; }
  DeadlineKind deadline_kind() const;  // REQUIRES: armed()

 protected:
  virtual ~DeadlineNode() { unlink(); }
  // The deadline has passed; the node is no longer armed.
  virtual void on_deadline(DeadlineKind kind) = 0;

 private:
  friend class Deadlines;
  friend class DeadlineQueue;
  inline void unlink();

  DeadlineNode* next_ = nullptr;
  DeadlineNode* prev_ = nullptr;
  std::uint64_t due_ms_ = 0;
  DeadlineQueue* queue_ = nullptr;  // in which it is armed
};

// The head of the ring of those that wait for one kind.
class DeadlineQueue final : private DeadlineNode {
 private:
  friend class Deadlines;
  friend class DeadlineNode;
  DeadlineQueue() { next_ = prev_ = this; }
  void on_deadline(DeadlineKind) override {}

  DeadlineKind kind_ = DeadlineKind::head;
  Counter* waiting_ = nullptr;  // how many wait in it; null if nobody asks
};

inline DeadlineKind DeadlineNode::deadline_kind() const {
  return queue_->kind_;
}

inline void DeadlineNode::unlink() {
  if (next_ == nullptr) return;
  prev_->next_ = next_;
  next_->prev_ = prev_;
  next_ = prev_ = nullptr;
  if (queue_ != nullptr && queue_->waiting_ != nullptr) queue_->waiting_->subtract();
  queue_ = nullptr;
}

class Deadlines {
 public:
  // `waits`: a counter for each kind, of what waits for it now; they live longer. Null: nobody asks.
  explicit Deadlines(Counter* waits = nullptr);
  ~Deadlines();
  Deadlines(const Deadlines&) = delete;
  Deadlines& operator=(const Deadlines&) = delete;

  // How often, in one send time-out, it is checked whether the client takes anything. The kernel is asked
  // only when a deadline fires, so the first check has nothing to compare with.
  static constexpr unsigned kSendLooks = 4;
  // Sets how long each wait of the kind lasts. REQUIRES: none of the kind is armed.
  void set_duration(DeadlineKind kind, std::uint64_t duration_ms);
  std::uint64_t duration_ms(DeadlineKind kind) const { return durations_ms_[static_cast<unsigned>(kind)]; }
  // Sets the durations of all kinds.
  void set_durations(const Timeouts& timeouts);
  // Starts a wait. A wait that the node had before ends.
  void arm(DeadlineNode& node, DeadlineKind kind, std::uint64_t now_ms);
  // The same for a wait that has lasted long enough already: its deadline passes at the next `expire`.
  void arm_due(DeadlineNode& node, DeadlineKind kind, std::uint64_t now_ms);
  void disarm(DeadlineNode& node) { node.unlink(); }
  // Iterates over the nodes that wait for that kind, in order of due time; null when there are no more.
  DeadlineNode* first(DeadlineKind kind) { return behind(queue(kind), kind); }
  DeadlineNode* after(DeadlineNode& node) { return behind(node, node.deadline_kind()); }
  // The earliest due time, or kNone.
  static constexpr std::uint64_t kNone = ~std::uint64_t{0};
  std::uint64_t next_due_ms() const;
  // Calls on_deadline of due nodes, which may arm and disarm any node. At most kExpiredMax: the others stay
  // due.
  static constexpr unsigned kExpiredMax = 64;
  void expire(std::uint64_t now_ms);

 private:
  DeadlineNode* behind(DeadlineNode& node, DeadlineKind kind) {
    return node.next_ == &queue(kind) ? nullptr : node.next_;
  }
  DeadlineQueue& queue(DeadlineKind kind) { return queues_[static_cast<unsigned>(kind)]; }
  static void link(DeadlineNode& node, DeadlineQueue& queue, DeadlineNode& before);

  DeadlineQueue queues_[kDeadlineKinds];
  std::array<std::uint64_t, kDeadlineKinds> durations_ms_{};
};

}  // namespace sluice
