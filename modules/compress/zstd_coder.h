// zstd (RFC 8878) by libzstd, with a window of 128 KiB.
#pragma once

#include <zstd.h>

#include "compress/coder.h"

namespace sluice::compress {

class ZstdCoder final : public Coder {
 public:
  ZstdCoder();
  ~ZstdCoder() override { ::ZSTD_freeCCtx(context_); }
  ZstdCoder(const ZstdCoder&) = delete;
  ZstdCoder& operator=(const ZstdCoder&) = delete;

  void begin(unsigned level, std::uint64_t size) override;
  Step step(Bytes input, Push push, char* made) override;

 private:
  void set(ZSTD_cParameter parameter, int value);

  ZSTD_CCtx* context_;
};

}  // namespace sluice::compress
