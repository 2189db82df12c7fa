// br (RFC 7932) by libbrotlienc, with windows of 128 KiB and 1 MiB.
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
  void begin_thorough(std::uint64_t size) override;
  Step step(Bytes input, Push push, char* made) override;

 private:
  void begin_with(std::uint32_t level, std::uint32_t window_log);

  BrotliEncoderState* state_ = nullptr;
};

}  // namespace sluice::compress
