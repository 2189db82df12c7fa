// Decodes content as a client does, by the libraries of its codings.
#pragma once

#include <brotli/decode.h>
#include <zlib.h>
#include <zstd.h>

#include <stdexcept>
#include <string>
#include <string_view>
#include <vector>

namespace sluice::test {

// What can be decoded of the first bytes of content.
struct Decoded {
  std::string content;
  bool is_complete = false;
};

inline Decoded decode_gzip(std::string_view coded) {
  Decoded decoded;
  z_stream stream{};
  if (::inflateInit2(&stream, 15 + 16) != Z_OK) throw std::runtime_error("inflateInit2 has failed");
  stream.next_in = reinterpret_cast<Bytef*>(const_cast<char*>(coded.data()));
  stream.avail_in = static_cast<uInt>(coded.size());
  std::vector<char> part(64 * 1024);
  int result = Z_OK;
  while (result == Z_OK) {
    stream.next_out = reinterpret_cast<Bytef*>(part.data());
    stream.avail_out = static_cast<uInt>(part.size());
    result = ::inflate(&stream, Z_SYNC_FLUSH);
    decoded.content.append(part.data(), part.size() - stream.avail_out);
  }
  ::inflateEnd(&stream);
  if (result == Z_DATA_ERROR) throw std::runtime_error("no gzip");
  decoded.is_complete = result == Z_STREAM_END && stream.avail_in == 0;
  return decoded;
}

// With the largest window that browsers decode (RFC 9659).
inline Decoded decode_zstd(std::string_view coded) {
  Decoded decoded;
  ZSTD_DCtx* const context = ::ZSTD_createDCtx();
  ::ZSTD_DCtx_setParameter(context, ZSTD_d_windowLogMax, 23);
  ZSTD_inBuffer in{coded.data(), coded.size(), 0};
  std::vector<char> part(64 * 1024);
  std::size_t result = 1;
  for (;;) {
    ZSTD_outBuffer out{part.data(), part.size(), 0};
    result = ::ZSTD_decompressStream(context, &out, &in);
    if (::ZSTD_isError(result) != 0) break;
    decoded.content.append(part.data(), out.pos);
    if (result == 0 || (in.pos == in.size && out.pos < part.size())) break;
  }
  ::ZSTD_freeDCtx(context);
  if (::ZSTD_isError(result) != 0) throw std::runtime_error("no zstd");
  decoded.is_complete = result == 0 && in.pos == in.size;
  return decoded;
}

inline Decoded decode_br(std::string_view coded) {
  Decoded decoded;
  BrotliDecoderState* const state = ::BrotliDecoderCreateInstance(nullptr, nullptr, nullptr);
  std::size_t in_left = coded.size();
  const auto* in = reinterpret_cast<const std::uint8_t*>(coded.data());
  std::vector<char> part(64 * 1024);
  BrotliDecoderResult result = BROTLI_DECODER_RESULT_NEEDS_MORE_OUTPUT;
  while (result == BROTLI_DECODER_RESULT_NEEDS_MORE_OUTPUT) {
    std::size_t out_left = part.size();
    auto* out = reinterpret_cast<std::uint8_t*>(part.data());
    result = ::BrotliDecoderDecompressStream(state, &in_left, &in, &out_left, &out, nullptr);
    decoded.content.append(part.data(), part.size() - out_left);
  }
  ::BrotliDecoderDestroyInstance(state);
  if (result == BROTLI_DECODER_RESULT_ERROR) throw std::runtime_error("no br");
  decoded.is_complete = result == BROTLI_DECODER_RESULT_SUCCESS && in_left == 0;
  return decoded;
}

// Throws std::runtime_error if the bytes are not of the coding, or if it is none of the three.
inline Decoded decode(std::string_view coding, std::string_view coded) {
  if (coding == "gzip") return decode_gzip(coded);
  if (coding == "zstd") return decode_zstd(coded);
  if (coding == "br") return decode_br(coded);
  throw std::runtime_error("no coding that is known: " + std::string(coding));
}

}  // namespace sluice::test
