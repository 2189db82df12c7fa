#include "compress/brotli_coder.h"

#include <new>
#include <stdexcept>

namespace sluice::compress {
namespace {

constexpr std::uint32_t kBrotliStreamWindowLog = 17;
constexpr std::uint32_t kThoroughWindowLog = 20;
constexpr std::uint32_t kThoroughBrotliLevel = 7;

}  // namespace

void BrotliCoder::begin(unsigned level, std::uint64_t) {
  begin_with(level, kBrotliStreamWindowLog);
}

void BrotliCoder::begin_thorough(std::uint64_t) {
  begin_with(kThoroughBrotliLevel, kThoroughWindowLog);
}

// The library cannot begin anew.
void BrotliCoder::begin_with(std::uint32_t level, std::uint32_t window_log) {
  ::BrotliEncoderDestroyInstance(state_);
  state_ = ::BrotliEncoderCreateInstance(nullptr, nullptr, nullptr);
  if (state_ == nullptr) throw std::bad_alloc();
  ::BrotliEncoderSetParameter(state_, BROTLI_PARAM_QUALITY, level);
  ::BrotliEncoderSetParameter(state_, BROTLI_PARAM_LGWIN, window_log);
}

Step BrotliCoder::step(Bytes input, Push push, char* made) {
  const BrotliEncoderOperation operation = push == Push::end     ? BROTLI_OPERATION_FINISH
                                           : push == Push::flush ? BROTLI_OPERATION_FLUSH
                                                                 : BROTLI_OPERATION_PROCESS;
  std::size_t in_left = input.size;
  std::size_t out_left = kRoom;
  const auto* in = reinterpret_cast<const std::uint8_t*>(input.data);
  auto* out = reinterpret_cast<std::uint8_t*>(made);
  // Why, it does not say.
  if (::BrotliEncoderCompressStream(state_, operation, &in_left, &in, &out_left, &out, nullptr) == BROTLI_FALSE)
    throw std::runtime_error("libbrotlienc reports an error");
  Step step{input.size - in_left, kRoom - out_left, false};
  step.is_through = in_left == 0 && ::BrotliEncoderHasMoreOutput(state_) == BROTLI_FALSE &&
                    (push != Push::end || ::BrotliEncoderIsFinished(state_) == BROTLI_TRUE);
  return step;
}

}  // namespace sluice::compress
