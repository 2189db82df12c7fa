#include "access/password_checks.h"

#include <openssl/evp.h>
#include <openssl/hmac.h>
#include <string.h>
#include <sys/random.h>

#include <stdexcept>

#include "access/password_hash.h"

namespace sluice::access {

class PasswordChecks::Comparison final : public Work {
 public:
  Comparison(PasswordChecks& checks, const Digest& digest, std::string password, std::string hash, bool decoy)
      : checks_(checks),
        digest_(digest),
        password_(std::move(password)),
        hash_(std::move(hash)),
        decoy_(decoy) {}
  ~Comparison() override { explicit_bzero(password_.data(), password_.size()); }
  void run() override { is_right_ = makes_hash(password_, hash_) && !decoy_; }
  void done(bool ran) override {
    using End = PasswordCheck::End;
    checks_.end(digest_, !ran ? End::not_run : is_right_ ? End::right : End::wrong);
  }

 private:
  PasswordChecks& checks_;
  const Digest digest_;
  std::string password_;
  const std::string hash_;
  const bool decoy_;
  bool is_right_ = false;
};

PasswordChecks::PasswordChecks(Host& host) : host_(host) {
  if (getrandom(key_.data(), key_.size(), 0) != static_cast<ssize_t>(key_.size()))
    throw std::runtime_error("the system has no random bytes");
}

PasswordChecks::Digest PasswordChecks::digest_of(const Credentials& credentials,
                                                 const std::string& hash) const {
  // None of the parts has a control character, so that the text tells where each ends.
  std::string text = credentials.user + '\n' + credentials.password + '\n' + hash;
  Digest digest{};
  unsigned size = 0;
  const auto* bytes = reinterpret_cast<const unsigned char*>(text.data());
  const bool is_made = HMAC(EVP_sha256(), key_.data(), static_cast<int>(key_.size()), bytes, text.size(),
                            digest.data(), &size) != nullptr;
  explicit_bzero(text.data(), text.size());
  if (!is_made || size != digest.size()) throw std::runtime_error("HMAC-SHA-256 fails");
  return digest;
}

bool PasswordChecks::has_verified(const Digest& digest) {
  const auto found = verified_.find(digest);
  return found != verified_.end() && host_.now_ms() < found->second;
}

std::shared_ptr<const PasswordCheck> PasswordChecks::compare(const Digest& digest,
                                                             const Credentials& credentials,
                                                             const std::string& hash, bool decoy,
                                                             Ticket ticket) {
  const auto running = running_.find(digest);
  if (running != running_.end()) {
    running->second->waiting.push_back(ticket);
    return running->second;
  }
  if (running_.size() >= kRunningMax) return nullptr;
  auto check = std::make_shared<PasswordCheck>();
  check->waiting.push_back(ticket);
  auto work = std::make_unique<Comparison>(*this, digest, credentials.password, hash, decoy);
  const auto entry = running_.emplace(digest, check).first;
  if (!host_.offload(work.get())) {
    running_.erase(entry);
    return nullptr;
  }
  static_cast<void>(work.release());
  return check;
}

void PasswordChecks::end(const Digest& digest, PasswordCheck::End end) {
  const auto node = running_.extract(digest);
  PasswordCheck& check = *node.mapped();
  check.end = end;
  for (const Ticket ticket : check.waiting) host_.resume(ticket);
  if (end == PasswordCheck::End::right) keep(digest);
}

void PasswordChecks::keep(const Digest& digest) {
  const std::uint64_t now_ms = host_.now_ms();
  while (!oldest_.empty() && (oldest_.size() >= kVerifiedMax || verified_.at(oldest_.front()) <= now_ms)) {
    verified_.erase(oldest_.front());
    oldest_.pop_front();
  }
  // All are kept equally long, so that the last one is the youngest.
  if (verified_.emplace(digest, now_ms + kVerifiedMs).second) oldest_.push_back(digest);
}

}  // namespace sluice::access
