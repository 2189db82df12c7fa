// Sends coded content from memory, in place of an answer's own content. Loop thread.
#pragma once

#include <sluice/handler.h>

#include <utility>

#include "compress/variants.h"

namespace sluice::compress {

class VariantBody final : public Body {
 public:
  explicit VariantBody(Variants::Variant variant) : variant_(std::move(variant)) {}

  Progress pump(Sink& sink) override {
    const Bytes left(variant_->data() + sent_, variant_->size() - sent_);
    const Moved moved = sink.write(&left, 1);
    sent_ += static_cast<std::size_t>(moved.size);
    if (moved.status == Io::lost) return Progress::failed;
    return moved.size == left.size ? Progress::done : Progress::more;
  }

 private:
  const Variants::Variant variant_;
  std::size_t sent_ = 0;
};

}  // namespace sluice::compress
