// Destroys on a thread what may take long to destroy: the last descriptor of a deleted file, a large block of
// memory, an AIO context. Where no thread takes it, it is destroyed here and now; a retired module's is refused
// only when the worker ends, or even the reserve for retired ones is full. Loop thread.
#pragma once

#include <sluice/handler.h>

#include <memory>
#include <optional>
#include <string>
#include <utility>

#include "common/files/text_blocks.h"

namespace sluice::files {

template <typename Waste>
void destroy_on_thread(Host& host, Waste waste);

template <typename Waste>
class DestroyWork final : public Work {
 public:
  DestroyWork(Host& host, Waste waste) : host_(host), waste_(std::move(waste)) {}
  void run() override { waste_.reset(); }
  // It may have had to wait for too long: nobody waits for it, so it can wait again.
  void done(bool) override {
    if (waste_) destroy_on_thread(host_, std::move(*waste_));
  }

 private:
  Host& host_;
  std::optional<Waste> waste_;
};

// REQUIRES: the destructor of `waste` calls nothing of the host.
template <typename Waste>
void destroy_on_thread(Host& host, Waste waste) {
  auto work = std::make_unique<DestroyWork<Waste>>(host, std::move(waste));
  if (host.offload(work.get())) static_cast<void>(work.release());
}

// The same for a text that others may hold, too, unless it is so small that a thread is not worth it.
inline void give_away_text(Host& host, std::shared_ptr<const TextBlocks> text) {
  constexpr std::size_t kLarge = 1 << 20;
  if (text != nullptr && text.use_count() == 1 && text->size() > kLarge)
    destroy_on_thread(host, std::move(text));
}

}  // namespace sluice::files
