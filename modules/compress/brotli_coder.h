// br (RFC 7932) by libbrotlienc, with a window of 128 KiB.
#pragma once

#include <brotli/encode.h>

#include "compress/coder.h"

namespace sluice::compress {

class BrotliCoder final : public Coder {
 public:
  BrotliCoder() = default;
  ~BrotliCoder() override { ::BrotliEncoderDestroyInstance(state_); }
  BrotliCoder(const BrotliCoder&) = delete;
  BrotliCoder& operator=(const BrotliCoder&) = delete;

  void begin(unsigned level, std::uint64_t size) override;
  Step step(Bytes input, Push push, char* made) override;

 private:
  BrotliEncoderState* state_ = nullptr;
};

}  // namespace sluice::compress
