// What has happened to the modules of a server while it served, for its status: swaps, refusals, and modules
// that were switched off. The last few are kept. One thread.
#pragma once

#include <cstdint>
#include <ctime>
#include <deque>
#include <string>
#include <string_view>
#include <utility>

namespace sluice {

struct ModuleEvent {
  std::int64_t at_s = 0;         // since 1970
  std::string module;            // its name; that of the file if it is not known
  std::uint32_t generation = 0;  // 0: of none
  std::string_view what;         // one of ModuleEvents' constants
  std::string why;               // empty if there is nothing to say
};

class ModuleEvents {
 public:
  static constexpr std::size_t kKept = 32;
  static constexpr std::size_t kWhyMax = 512;

  static constexpr std::string_view kServes = "serves";
  static constexpr std::string_view kServesAgain = "serves again";
  static constexpr std::string_view kRefused = "refused";
  static constexpr std::string_view kRemoved = "removed";
  static constexpr std::string_view kGoesBack = "goes back";
  static constexpr std::string_view kSwitchedOff = "switched off";

  void note(std::string_view what, std::string module, std::uint32_t generation, std::string why = "") {
    if (why.size() > kWhyMax) why.resize(kWhyMax);
    kept_.push_back({std::time(nullptr), std::move(module), generation, what, std::move(why)});
    if (kept_.size() > kKept) kept_.pop_front();
  }
  const std::deque<ModuleEvent>& all() const { return kept_; }  // the latest is the last

 private:
  std::deque<ModuleEvent> kept_;
};

}  // namespace sluice
