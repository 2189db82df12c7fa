// Which content codings a client accepts, and which it prefers (RFC 9110 section 12.5.3). Pure, any thread;
// owns nothing.
#pragma once

#include <sluice/abi.h>

#include <array>
#include <cstddef>
#include <cstdint>
#include <string_view>

namespace sluice::files {

// In the server's usual order: among equal weights the first one wins.
enum class Coding : std::uint8_t { zstd, br, gzip, identity };
inline constexpr std::size_t kCodingCount = 4;

// The name in Content-Encoding: "br". `identity` has a name, too, but it is never sent.
std::string_view coding_name(Coding coding);
// The ending of the name of a file that was compressed beforehand: ".br"; empty for `identity`.
std::string_view coding_suffix(Coding coding);

// Distinct codings, the best first.
class Codings {
 public:
  const Coding* begin() const { return items_.data(); }
  const Coding* end() const { return items_.data() + size_; }
  std::size_t size() const { return size_; }
  bool empty() const { return size_ == 0; }
  // REQUIRES: fewer than kCodingCount so far.
  constexpr void push_back(Coding coding) { items_[size_++] = coding; }

 private:
  std::array<Coding, kCodingCount> items_{};
  std::size_t size_ = 0;
};

// The codings that the answer may have. Without an Accept-Encoding, or with an empty one, only `identity`.
// Empty when the client has ruled out everything, even `identity`: answer 406, or with `identity` all the
// same.
Codings preferred_codings(const Request& request);
// The same among these codings and `identity`; among equal weights the first one wins. REQUIRES: they are
// distinct, and `identity` is not among them.
Codings preferred_codings(const Request& request, const Codings& offered);

}  // namespace sluice::files
