// zstd (RFC 8878) by libzstd, with windows of 128 KiB and 1 MiB.
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
  void begin_thorough(std::uint64_t size) override;
  Step step(Bytes input, Push push, char* made) override;

 private:
  struct Effort {
    int level;
    int window_log;
    int hash_log;
    int chain_log;
  };
  void begin(const Effort& effort, std::uint64_t size);
  void set(ZSTD_cParameter parameter, int value);

  ZSTD_CCtx* context_;
};

}  // namespace sluice::compress
