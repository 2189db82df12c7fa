// Coded content that is kept in memory, so that what is asked for again is coded once, and better than a
// stream; and beside it what it is coded with. In both shares, those that were asked for longest ago make room
// for new ones of the same share. Loop thread.
//
// INVARIANT: coded content takes no more than `size_max` bytes, and the other share no more than a third of
// that; at most kMakingMax are being made.
#pragma once

#include <array>
#include <cstddef>
#include <cstdint>
#include <list>
#include <memory>
#include <string>
#include <string_view>
#include <unordered_map>

namespace sluice::compress {

class Variants {
 public:
  // While one is made it takes 33 MiB at most, the content included.
  static constexpr std::size_t kMakingMax = 4;
  static constexpr std::uint64_t kRecordingMs = 10'000;  // then it gives its place to others
  static constexpr std::uint64_t kContentMax = 8 << 20;  // before it is coded

  // Null if there is none. An empty one: coding makes this content no shorter.
  using Variant = std::shared_ptr<const std::string>;

  // Versions are many times larger than coded content, which must not make room for them.
  enum class Share : std::uint8_t {
    coded,
    dictionaries,  // versions, what is coded with them, and what is known of them
  };

  explicit Variants(std::uint64_t size_max) : shelves_{Shelf(size_max), Shelf(size_max / 3)} {}

  std::uint64_t size_max() const { return shelves_[0].size_max; }
  // Whether content of this size may be kept.
  bool takes(std::uint64_t size) const { return size <= kContentMax && size <= size_max(); }
  Variant find(const std::string& key);
  // 0 if the caller is not to make it. Otherwise the number of its attempt, which first records the content,
  // and ends with `given_up`, before what was made is kept. A recording that takes long, as its client does,
  // may lose its place.
  std::uint64_t begin_making(const std::string& key, std::uint64_t now_ms);
  bool has_place(const std::string& key, std::uint64_t attempt) const;
  // The content is there; the place is kept from now on. REQUIRES: has_place.
  void recorded(const std::string& key) { making_.at(key).is_recorded = true; }
  void given_up(const std::string& key, std::uint64_t attempt);
  // Puts it in the place of what has this key. Nothing if it is larger than its share.
  void keep(const std::string& key, Variant variant, Share share = Share::coded);
  void forget(const std::string& key);
  // Keeps none from now on.
  void retire();

 private:
  struct Entry {
    std::string key;
    Variant variant;
    Share share;
  };
  struct Shelf {
    explicit Shelf(std::uint64_t most) : size_max(most) {}
    std::uint64_t size_max;
    std::uint64_t size = 0;
    std::list<Entry> recent;  // the latest first
  };
  struct Making {
    std::uint64_t attempt;
    std::uint64_t since_ms;
    bool is_recorded;
  };
  static std::uint64_t cost_of(const Entry& entry);
  Shelf& shelf_of(const Entry& entry) { return shelves_[static_cast<std::size_t>(entry.share)]; }

  std::array<Shelf, 2> shelves_;  // by their Share
  std::unordered_map<std::string_view, std::list<Entry>::iterator> by_key_;
  std::unordered_map<std::string, Making> making_;
  std::uint64_t attempts_ = 0;
};

}  // namespace sluice::compress
