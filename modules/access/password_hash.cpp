#include "access/password_hash.h"

#include <crypt.h>
#include <openssl/crypto.h>
#include <string.h>

#include <algorithm>
#include <memory>

#include "common/http/text.h"

namespace sluice::access {
namespace {

// What crypt(5) says of the methods: the digits that the digest behind the last '$' has. Those of bcrypt follow
// the 22 of the salt without a '$'.
struct Method {
  std::string_view prefix;
  std::size_t digest_size;
};
constexpr Method kMethods[] = {{"$2y$", 53}, {"$2b$", 53}, {"$2a$", 53}, {"$5$", 43}, {"$6$", 86}, {"$y$", 43}};

constexpr std::size_t kBcryptSize = 60;

bool is_digest(std::string_view text) {
  return std::all_of(text.begin(), text.end(), [](char byte) {
    return (byte >= '.' && byte <= '9') || (byte >= 'A' && byte <= 'Z') || (byte >= 'a' && byte <= 'z');
  });
}

// Of bcrypt, the binary logarithm of the rounds. crypt_checksalt does not look at it.
bool has_cost(std::string_view hash) {
  const std::string_view cost = hash.substr(4, 2);
  return files::is_digit(cost[0]) && files::is_digit(cost[1]) && cost >= "04" && cost <= "31" && hash[6] == '$';
}

bool is_whole(std::string_view hash, const Method& method) {
  const std::string_view digest = hash.substr(hash.rfind('$') + 1);
  if (digest.size() != method.digest_size || !is_digest(digest)) return false;
  if (hash.starts_with("$2") && (hash.size() != kBcryptSize || !has_cost(hash))) return false;
  const int verdict = crypt_checksalt(std::string(hash).c_str());
  return verdict != CRYPT_SALT_INVALID && verdict != CRYPT_SALT_METHOD_DISABLED;
}

}  // namespace

const char* why_not_usable(std::string_view hash) {
  if (hash.starts_with("$apr1$") || hash.starts_with("$1$")) return "a hash by MD5, which is too weak";
  if (hash.starts_with("{SHA}") || hash.starts_with("{SSHA}")) return "a hash by SHA-1, which is too weak";
  const auto* method = std::find_if(std::begin(kMethods), std::end(kMethods),
                                    [&](const Method& one) { return hash.starts_with(one.prefix); });
  if (method == std::end(kMethods)) return "no hash by $2y$, $5$, $6$ or $y$";
  return is_whole(hash, *method) ? nullptr : "a hash that is cut off or mistyped";
}

bool makes_hash(const std::string& password, const std::string& hash) {
  const auto data = std::make_unique<crypt_data>();  // 32 KiB, and zero, as crypt(3) wants it
  const char* made = crypt_rn(password.c_str(), hash.c_str(), data.get(), sizeof(*data));
  // Every byte is compared, so that the time does not tell how many are right.
  bool is_same = made != nullptr && std::string_view(made).size() == hash.size();
  if (is_same) is_same = CRYPTO_memcmp(made, hash.data(), hash.size()) == 0;
  explicit_bzero(data.get(), sizeof(*data));
  return is_same;
}

}  // namespace sluice::access
