// When something has waited too long: one queue for each kind of time-out.
//
// All waits of one kind last equally long, so each queue is in order of due time without sorting: arming
// appends, expiry looks at the front, and both cost a few pointers. A node stands in one queue at most. Loop
// thread only.
#pragma once

#include <array>
#include <cstdint>

#include "settings/settings.h"

namespace sluice {

enum class DeadlineKind : std::uint8_t { head, body, send, keepalive, handler, linger };
inline constexpr unsigned kDeadlineKinds = 6;

class Deadlines;

// A thing that can be late. Derive from it; it unlinks itself when destroyed.
class DeadlineNode {
 public:
  DeadlineNode() = default;
  DeadlineNode(const DeadlineNode&) = delete;
  DeadlineNode& operator=(const DeadlineNode&) = delete;

  bool armed() const { return next_ != nullptr; }
  DeadlineKind deadline_kind() const { return kind_; }

 protected:
  ~DeadlineNode() { unlink(); }
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

  // Whether the client takes anything is looked at so often in a send time-out: the kernel is asked only when a
  // deadline fires, so the first look has nothing to compare with.
  static constexpr unsigned kSendLooks = 4;
  // How long each wait of the kind lasts. REQUIRES: none of the kind is armed.
  void set_duration(DeadlineKind kind, std::uint64_t duration_ms);
  std::uint64_t duration_ms(DeadlineKind kind) const { return durations_ms_[static_cast<unsigned>(kind)]; }
  // All kinds.
  void set_durations(const Timeouts& timeouts);
  // Starts the wait anew, whatever the node waited for before.
  void arm(DeadlineNode& node, DeadlineKind kind, std::uint64_t now_ms);
  void disarm(DeadlineNode& node) { node.unlink(); }
  // Those that wait for that kind, the one that is due first at first; null when there are no more.
  DeadlineNode* first(DeadlineKind kind) { return behind(queue(kind), kind); }
  DeadlineNode* after(DeadlineNode& node) { return behind(node, node.kind_); }
  // The earliest due time, or `none`.
  static constexpr std::uint64_t kNone = ~std::uint64_t{0};
  std::uint64_t next_due_ms() const;
  // Calls on_deadline of nodes that are due; it may arm and disarm any node. Of so many at most: the others are
  // still due.
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

  std::array<Queue, kDeadlineKinds> queues_;  // each the head of a ring
  std::array<std::uint64_t, kDeadlineKinds> durations_ms_{};
};

}  // namespace sluice
