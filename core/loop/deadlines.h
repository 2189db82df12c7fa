// Finds what has waited too long. There is one queue for each kind of time-out.
//
// All waits of one kind last equally long, so each queue is in order of due time without sorting. Arming
// appends, and expiry looks at the front: both cost a few pointers. A node is in one queue at most. Loop
// thread only.
#pragma once

#include <array>
#include <cstdint>

#include "settings/settings.h"

namespace sluice {

enum class DeadlineKind : std::uint8_t { head, body, send, keepalive, handler, linger, tunnel };
inline constexpr unsigned kDeadlineKinds = 7;

class Deadlines;

// Something that can be late. Derive from it; it unlinks itself when it is destroyed.
class DeadlineNode {
 public:
  DeadlineNode() = default;
  DeadlineNode(const DeadlineNode&) = delete;
  DeadlineNode& operator=(const DeadlineNode&) = delete;

  bool armed() const { return next_ != nullptr; }
  DeadlineKind deadline_kind() const { return kind_; }

 protected:
  virtual ~DeadlineNode() { unlink(); }
  // The deadline has passed; the node is no longer armed.
  virtual void on_deadline(DeadlineKind kind) = 0;

 private:
  friend class Deadlines;
  void unlink() {
    if (next_ == nullptr) return;
    prev_->next_ = next_;
    next_->prev_ = prev_;
    next_ = prev_ = nullptr;
  }

  DeadlineNode* next_ = nullptr;
  DeadlineNode* prev_ = nullptr;
  std::uint64_t due_ms_ = 0;
  DeadlineKind kind_ = DeadlineKind::head;
};

class Deadlines {
 public:
  Deadlines();

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
  void disarm(DeadlineNode& node) { node.unlink(); }
  // Iterates over the nodes that wait for that kind, in order of due time; null when there are no more.
  DeadlineNode* first(DeadlineKind kind) { return behind(queue(kind), kind); }
  DeadlineNode* after(DeadlineNode& node) { return behind(node, node.kind_); }
  // The earliest due time, or kNone.
  static constexpr std::uint64_t kNone = ~std::uint64_t{0};
  std::uint64_t next_due_ms() const;
  // Calls on_deadline of due nodes, which may arm and disarm any node. At most kExpiredMax: the others stay
  // due.
  static constexpr unsigned kExpiredMax = 64;
  void expire(std::uint64_t now_ms);

 private:
  struct Queue final : DeadlineNode {
    Queue();
    void on_deadline(DeadlineKind) override {}
  };
  DeadlineNode* behind(DeadlineNode& node, DeadlineKind kind) {
    return node.next_ == &queue(kind) ? nullptr : node.next_;
  }
  Queue& queue(DeadlineKind kind) { return queues_[static_cast<unsigned>(kind)]; }

  std::array<Queue, kDeadlineKinds> queues_;  // each is the head of a ring
  std::array<std::uint64_t, kDeadlineKinds> durations_ms_{};
};

}  // namespace sluice
