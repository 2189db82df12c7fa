// The coders of a worker: counted while they are lent, and a few kept for the next streams, because their
// memory costs more to get than a short answer costs to code. Loop thread.
#pragma once

#include <array>
#include <cstddef>
#include <memory>
#include <utility>
#include <vector>

#include "compress/coder.h"

namespace sluice::compress {

class CoderPool {
 public:
  // Kept of each coding: at most 6 MiB together.
  static constexpr std::size_t kIdleMax = 4;

  struct GiveBack {
    CoderPool* pool = nullptr;
    Coding coding = Coding::gzip;
    void operator()(Coder* coder) const noexcept { pool->take_back(coding, std::unique_ptr<Coder>(coder)); }
  };
  // Lives no longer than the pool.
  using Lent = std::unique_ptr<Coder, GiveBack>;

  std::size_t lent() const { return lent_; }

  // One that has begun a stream. Throws as the coders do.
  Lent lend(Coding coding, unsigned level, std::uint64_t size) {
    Idle& idle = idle_[static_cast<std::size_t>(coding)];
    idle.reserve(kIdleMax);  // giving back needs no memory
    std::unique_ptr<Coder> coder = idle.empty() ? make_coder(coding) : std::move(idle.back());
    if (!idle.empty()) idle.pop_back();
    coder->begin(level, size);
    ++lent_;
    return Lent(coder.release(), GiveBack{this, coding});
  }

  // Keeps none from now on.
  void retire() {
    retired_ = true;
    for (Idle& idle : idle_) idle.clear();
  }

 private:
  using Idle = std::vector<std::unique_ptr<Coder>>;

  // The library of br makes everything anew for each stream.
  void take_back(Coding coding, std::unique_ptr<Coder> coder) noexcept {
    --lent_;
    Idle& idle = idle_[static_cast<std::size_t>(coding)];
    if (coding != Coding::br && !retired_ && idle.size() < kIdleMax) idle.push_back(std::move(coder));
  }

  std::array<Idle, files::kCodingCount> idle_;
  std::size_t lent_ = 0;
  bool retired_ = false;
};

}  // namespace sluice::compress
