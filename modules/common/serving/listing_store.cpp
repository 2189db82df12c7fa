#include "common/serving/listing_store.h"

#include <algorithm>
#include <utility>

namespace sluice::files {

HeldText ListingStore::keep(const std::string& name, TextBlocks text) {
  HeldText held;
  {
    const std::lock_guard lock(mutex_);
    const auto found = held_.find(name);
    if (found != held_.end()) held = found->second.lock();
  }
  // Compares outside the lock, because it can take milliseconds.
  if (held != nullptr && *held == text) return held;
  const auto made = std::make_shared<const TextBlocks>(std::move(text));
  const std::lock_guard lock(mutex_);
  if (held_.size() >= forget_at_) forget_dropped();
  held_[name] = made;
  return made;
}

void ListingStore::forget_dropped() {
  std::erase_if(held_, [](const auto& item) { return item.second.expired(); });
  forget_at_ = std::max(kNamesMin, held_.size() * 2);
}

}  // namespace sluice::files
