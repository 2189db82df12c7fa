// Dictionary-Compressed Zstandard as a client takes it (RFC 9842): the hash of what it has, in the field that
// names it, and content that was coded with it. By OpenSSL and libzstd.
#pragma once

#include <openssl/evp.h>
#include <zstd.h>

#include <memory>
#include <stdexcept>
#include <string>
#include <string_view>

namespace sluice::test {

inline std::string sha256(std::string_view content) {
  std::string hash(32, '\0');
  unsigned size = 0;
  if (::EVP_Digest(content.data(), content.size(), reinterpret_cast<unsigned char*>(hash.data()), &size,
                   ::EVP_sha256(), nullptr) != 1)
    throw std::runtime_error("no SHA-256");
  return hash;
}

// The value of Available-Dictionary for this content.
inline std::string dictionary_name(std::string_view content) {
  const std::string hash = sha256(content);
  unsigned char text[48];
  const int size = ::EVP_EncodeBlock(text, reinterpret_cast<const unsigned char*>(hash.data()),
                                     static_cast<int>(hash.size()));
  return ":" + std::string(reinterpret_cast<const char*>(text), static_cast<std::size_t>(size)) + ":";
}

// Throws std::runtime_error if the bytes are anything else than the header of section 5 and one frame of zstd,
// or if the window is larger than each client decodes.
inline std::string decode_dcz(std::string_view dictionary, std::string_view coded) {
  const std::string header = std::string("\x5e\x2a\x4d\x18\x20\0\0\0", 8) + sha256(dictionary);
  if (!coded.starts_with(header)) throw std::runtime_error("no header of dcz for this dictionary");
  coded.remove_prefix(header.size());
  const std::unique_ptr<ZSTD_DCtx, decltype(&::ZSTD_freeDCtx)> context(::ZSTD_createDCtx(), &::ZSTD_freeDCtx);
  ::ZSTD_DCtx_setParameter(context.get(), ZSTD_d_windowLogMax, 23);
  ::ZSTD_DCtx_refPrefix(context.get(), dictionary.data(), dictionary.size());
  ZSTD_inBuffer in{coded.data(), coded.size(), 0};
  std::string content;
  std::string part(64 * 1024, '\0');
  for (;;) {
    ZSTD_outBuffer out{part.data(), part.size(), 0};
    const std::size_t left = ::ZSTD_decompressStream(context.get(), &out, &in);
    if (::ZSTD_isError(left) != 0) throw std::runtime_error(::ZSTD_getErrorName(left));
    content.append(part, 0, out.pos);
    if (left == 0) break;
    if (in.pos == in.size && out.pos < part.size()) throw std::runtime_error("the frame has no end");
  }
  if (in.pos != in.size) throw std::runtime_error("something stands behind the frame");
  return content;
}

}  // namespace sluice::test
