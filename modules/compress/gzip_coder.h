// gzip (RFC 1952) by zlib.
#pragma once

#define ZLIB_CONST
#include <zlib.h>

#include "compress/coder.h"

namespace sluice::compress {

class GzipCoder final : public Coder {
 public:
  GzipCoder() = default;
  ~GzipCoder() override;
  GzipCoder(const GzipCoder&) = delete;
  GzipCoder& operator=(const GzipCoder&) = delete;

  void begin(unsigned level, std::uint64_t size) override;
  void begin_thorough(std::uint64_t size) override;
  Step step(Bytes input, Push push, char* made) override;

 private:
  z_stream stream_{};
  bool is_open_ = false;
};

}  // namespace sluice::compress
