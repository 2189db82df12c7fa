// Destroys on a thread what may take long to destroy: the last descriptor of a deleted file, a large block of
// memory, an AIO context. Where the queue of the threads is full, it is destroyed on the loop. For a retired
// module that happens only when the worker ends, or when the reserve for retired modules is full. Loop
// thread.
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
  // When no thread was free in time, it is queued again: nobody waits for it.
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

// The same for a text that others may still use. A small text is not worth a thread.
inline void give_away_text(Host& host, std::shared_ptr<const TextBlocks> text) {
  constexpr std::size_t kLarge = 1 << 20;
  if (text != nullptr && text.use_count() == 1 && text->size() > kLarge)
    destroy_on_thread(host, std::move(text));
}

}  // namespace sluice::files
