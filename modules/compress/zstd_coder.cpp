#include "compress/zstd_coder.h"

#include <zstd_errors.h>

#include <new>
#include <stdexcept>
#include <string>

namespace sluice::compress {
namespace {

// The tables are smaller than those of the levels, which take more memory and make content hardly shorter.
constexpr int kZstdStreamWindowLog = 17;
constexpr int kStreamHashLog = 15;
constexpr int kStreamChainLog = 14;

std::size_t checked(std::size_t result) {
  if (::ZSTD_isError(result) == 0) return result;
  if (::ZSTD_getErrorCode(result) == ZSTD_error_memory_allocation) throw std::bad_alloc();
  throw std::runtime_error(std::string("libzstd reports: ") + ::ZSTD_getErrorName(result));
}

}  // namespace

ZstdCoder::ZstdCoder() : context_(::ZSTD_createCCtx()) {
  if (context_ == nullptr) throw std::bad_alloc();
}

void ZstdCoder::set(ZSTD_cParameter parameter, int value) {
  checked(::ZSTD_CCtx_setParameter(context_, parameter, value));
}

void ZstdCoder::begin(unsigned level, std::uint64_t size) {
  begin(Effort{static_cast<int>(level), kZstdStreamWindowLog, kStreamHashLog, kStreamChainLog}, size);
}

void ZstdCoder::begin_thorough(std::uint64_t size) {
  begin(Effort{.level = 12, .window_log = 20, .hash_log = 19, .chain_log = 20}, size);
}

void ZstdCoder::begin(const Effort& effort, std::uint64_t size) {
  checked(::ZSTD_CCtx_reset(context_, ZSTD_reset_session_and_parameters));
  set(ZSTD_c_compressionLevel, effort.level);
  set(ZSTD_c_windowLog, effort.window_log);
  set(ZSTD_c_hashLog, effort.hash_log);
  set(ZSTD_c_chainLog, effort.chain_log);
  // Short content gets smaller tables.
  if (size != kUnknownSize) checked(::ZSTD_CCtx_setPledgedSrcSize(context_, size));
}

Step ZstdCoder::step(Bytes input, Push push, char* made) {
  const ZSTD_EndDirective directive = push == Push::end     ? ZSTD_e_end
                                      : push == Push::flush ? ZSTD_e_flush
                                                            : ZSTD_e_continue;
  ZSTD_inBuffer in{input.data, input.size, 0};
  ZSTD_outBuffer out{made, kRoom, 0};
  const std::size_t left = checked(::ZSTD_compressStream2(context_, &out, &in, directive));
  return {in.pos, out.pos, push == Push::nothing ? in.pos == in.size : left == 0};
}

}  // namespace sluice::compress
