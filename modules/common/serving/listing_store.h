// The listings of a worker that are being made or sent: a bound on the memory that they take together, and
// one copy of equal ones, however many clients take them and however slowly. Lives in a module's Shared; all
// its mounts use it. Any thread.
#pragma once

#include <memory>
#include <mutex>
#include <string>
#include <unordered_map>

#include "common/files/text_blocks.h"

namespace sluice::files {

// Shared by the answers that send it. A large one should be dropped on a thread: give_away_text.
using HeldText = std::shared_ptr<const TextBlocks>;

class ListingStore {
 public:
  // Enough for the largest listing and a few others of some size.
  static constexpr std::size_t kSizeMax = 96 << 20;

  const std::shared_ptr<MemoryBudget>& budget() const { return budget_; }
  // Returns the text, or an equal one of that name that is held already.
  HeldText keep(const std::string& name, TextBlocks text);

 private:
  static constexpr std::size_t kNamesMin = 64;

  void forget_dropped();

  const std::shared_ptr<MemoryBudget> budget_ = std::make_shared<MemoryBudget>(kSizeMax);
  std::mutex mutex_;  // guards what follows
  std::unordered_map<std::string, std::weak_ptr<const TextBlocks>> held_;
  std::size_t forget_at_ = kNamesMin;  // forget ended texts when there are so many names
};

}  // namespace sluice::files
