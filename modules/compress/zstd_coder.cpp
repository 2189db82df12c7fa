#include "compress/zstd_coder.h"

#include <zstd_errors.h>

#include <new>
#include <stdexcept>
#include <string>

namespace sluice::compress {
namespace {

// Larger tables than these make content of a few hundred KiB hardly smaller.
constexpr int kWindowLog = 17;
constexpr int kHashLog = 15;
constexpr int kChainLog = 14;

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
  checked(::ZSTD_CCtx_reset(context_, ZSTD_reset_session_and_parameters));
  set(ZSTD_c_compressionLevel, static_cast<int>(level));
  set(ZSTD_c_windowLog, kWindowLog);
  set(ZSTD_c_hashLog, kHashLog);
  set(ZSTD_c_chainLog, kChainLog);
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
