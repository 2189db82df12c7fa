// The rules of the module rewrite: patterns for paths, and the targets that take their place. RE2 matches in
// time linear in the path. Plain values; loop thread.
#pragma once

#include <re2/re2.h>

#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

namespace sluice::rewrite {

// Where a request goes.
struct Destination {
  std::string target;        // encoded, with its query
  std::uint32_t status = 0;  // of the redirect; 0: another path answers in its place, unseen by the client
};

class RewriteRule {
 public:
  // "PATTERN TARGET [STATUS]". Throws std::runtime_error with a sentence.
  explicit RewriteRule(std::string_view text);

  // `path` is decoded, `query` as it was sent.
  std::optional<Destination> apply(std::string_view path, std::string_view query) const;

 private:
  void check_target(std::string_view rule) const;
  std::string expand(const re2::StringPiece* groups) const;

  std::unique_ptr<re2::RE2> pattern_;
  std::string target_;
  bool keeps_query_ = true;
  std::uint32_t status_ = 0;
};

// The address to which a request for another scheme or host is sent; nothing if it came to the right one.
// `canonical`: "https://example.org". `target` is the request's, as it was sent.
std::optional<std::string> canonical_address(std::string_view canonical, std::string_view scheme,
                                             std::string_view authority, std::string_view target);

}  // namespace sluice::rewrite
