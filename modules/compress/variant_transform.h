// Sends coded content from memory in place of an answer's own content, which it drops. Loop thread.
#pragma once

#include <sluice/filter.h>

#include <utility>

#include "compress/variants.h"

namespace sluice::compress {

class VariantTransform final : public Transform {
 public:
  explicit VariantTransform(Variants::Variant variant) : variant_(std::move(variant)) {}

  Passed pass(Bytes input, Follows, Sink& sink) override {
    const Bytes left(variant_->data() + sent_, variant_->size() - sent_);
    if (left.size == 0) return {input.size, Progress::done, 0};
    const Moved moved = sink.write(&left, 1);
    sent_ += static_cast<std::size_t>(moved.size);
    if (moved.status == Io::lost) return {input.size, Progress::failed, 0};
    return {input.size, moved.size == left.size ? Progress::done : Progress::more, 0};
  }

 private:
  const Variants::Variant variant_;
  std::size_t sent_ = 0;
};

}  // namespace sluice::compress
