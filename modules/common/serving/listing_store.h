// The listings of a worker that are being made or sent: what they take in memory together, and one copy of
// those that are equal, however many clients take them and however slowly. Lives in a module's Shared; all its
// mounts use it. Any thread.
#pragma once

#include <memory>
#include <mutex>
#include <string>
#include <unordered_map>

#include "common/files/text_blocks.h"

namespace sluice::files {

// Shared by those who send it. Large ones are better dropped on a thread: give_away.
using HeldText = std::shared_ptr<const TextBlocks>;

class ListingStore {
 public:
  // Enough for the largest listing there is beside a few others of some size.
  static constexpr std::size_t kSizeMax = 96 << 20;

  const std::shared_ptr<MemoryBudget>& budget() const { return budget_; }
  // The text, or an equal one of that name which somebody holds.
  HeldText keep(const std::string& name, TextBlocks text);

 private:
  static constexpr std::size_t kNamesMin = 64;

  void forget_dropped();

  const std::shared_ptr<MemoryBudget> budget_ = std::make_shared<MemoryBudget>(kSizeMax);
  std::mutex mutex_;  // guards what follows
  std::unordered_map<std::string, std::weak_ptr<const TextBlocks>> held_;
  std::size_t forget_at_ = kNamesMin;  // so many names
};

}  // namespace sluice::files
