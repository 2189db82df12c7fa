#include "compress/variants.h"

#include <utility>

namespace sluice::compress {

// Nodes and allocations take some beside the texts.
std::uint64_t Variants::cost_of(const Entry& entry) {
  constexpr std::uint64_t kOverhead = 256;
  return entry.key.size() + entry.variant->size() + kOverhead;
}

Variants::Variant Variants::find(const std::string& key) {
  const auto found = by_key_.find(key);
  if (found == by_key_.end()) return nullptr;
  std::list<Entry>& recent = shelf_of(*found->second).recent;
  recent.splice(recent.begin(), recent, found->second);
  return found->second->variant;
}

std::uint64_t Variants::begin_making(const std::string& key, std::uint64_t now_ms) {
  std::erase_if(making_, [&](const auto& one) {
    return !one.second.is_recorded && one.second.since_ms + kRecordingMs < now_ms;
  });
  if (making_.size() >= kMakingMax || by_key_.contains(key)) return 0;
  const bool is_new = making_.try_emplace(key, Making{attempts_ + 1, now_ms, false}).second;
  return is_new ? ++attempts_ : 0;
}

bool Variants::has_place(const std::string& key, std::uint64_t attempt) const {
  const auto found = making_.find(key);
  return found != making_.end() && found->second.attempt == attempt;
}

void Variants::given_up(const std::string& key, std::uint64_t attempt) {
  if (has_place(key, attempt)) making_.erase(key);
}

void Variants::forget(const std::string& key) {
  const auto found = by_key_.find(key);
  if (found == by_key_.end()) return;
  const auto entry = found->second;
  Shelf& shelf = shelf_of(*entry);
  shelf.size -= cost_of(*entry);
  by_key_.erase(found);
  shelf.recent.erase(entry);
}

void Variants::keep(const std::string& key, Variant variant, Share share) {
  forget(key);
  Entry entry{key, std::move(variant), share};
  const std::uint64_t cost = cost_of(entry);
  Shelf& shelf = shelf_of(entry);
  if (cost > shelf.size_max) return;
  while (shelf.size + cost > shelf.size_max) {
    shelf.size -= cost_of(shelf.recent.back());
    by_key_.erase(shelf.recent.back().key);
    shelf.recent.pop_back();
  }
  std::list<Entry> one;
  one.push_back(std::move(entry));
  by_key_.emplace(one.front().key, one.begin());  // may run out of memory, before anything has changed
  shelf.recent.splice(shelf.recent.begin(), one);
  shelf.size += cost;
}

void Variants::retire() {
  by_key_.clear();
  shelves_.fill(Shelf(0));
}

}  // namespace sluice::compress
