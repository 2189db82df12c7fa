#include "compress/gzip_coder.h"

#include <new>
#include <stdexcept>
#include <string>

namespace sluice::compress {
namespace {

constexpr int kWindowBits = 15;
constexpr int kWithGzipHeader = 16;
constexpr int kMemoryLevel = 8;
constexpr unsigned kThoroughGzipLevel = 6;

void check(int result) {
  if (result == Z_MEM_ERROR) throw std::bad_alloc();
  if (result != Z_OK) throw std::runtime_error("zlib reports the error " + std::to_string(result));
}

}  // namespace

GzipCoder::~GzipCoder() {
  if (is_open_) ::deflateEnd(&stream_);
}

void GzipCoder::begin(unsigned level, std::uint64_t) {
  if (is_open_) {
    check(::deflateReset(&stream_));
    return check(::deflateParams(&stream_, static_cast<int>(level), Z_DEFAULT_STRATEGY));
  }
  check(::deflateInit2(&stream_, static_cast<int>(level), Z_DEFLATED, kWindowBits + kWithGzipHeader,
                       kMemoryLevel, Z_DEFAULT_STRATEGY));
  is_open_ = true;
}

void GzipCoder::begin_thorough(std::uint64_t size) {
  begin(kThoroughGzipLevel, size);
}

Step GzipCoder::step(Bytes input, Push push, char* made) {
  const int flush = push == Push::end ? Z_FINISH : push == Push::flush ? Z_SYNC_FLUSH : Z_NO_FLUSH;
  stream_.next_in = reinterpret_cast<const Bytef*>(input.data);
  stream_.avail_in = static_cast<uInt>(input.size);
  stream_.next_out = reinterpret_cast<Bytef*>(made);
  stream_.avail_out = kRoom;
  const int result = ::deflate(&stream_, flush);
  // A buffer error says that there was nothing to do.
  if (result != Z_STREAM_END && result != Z_BUF_ERROR) check(result);
  Step step{input.size - stream_.avail_in, kRoom - stream_.avail_out, false};
  step.is_through = push == Push::end ? result == Z_STREAM_END : stream_.avail_out > 0;
  return step;
}

}  // namespace sluice::compress
