// A filter that says who may pass: by address, by name and password (RFC 7617), and nobody to what is hidden.
#include <sluice/module.h>

#include <memory>
#include <optional>
#include <stdexcept>
#include <string>
#include <utility>
#include <vector>

#include "access/address_rules.h"
#include "access/basic_credentials.h"
#include "access/hidden_paths.h"
#include "access/password_checks.h"
#include "access/user_files.h"
#include "common/explain.h"
#include "common/http/text.h"

namespace {

using sluice::Bytes;
using sluice::Exchange;
using sluice::Host;
using sluice::OptionType;
using sluice::access::Credentials;
using sluice::access::PasswordCheck;
using sluice::access::Verdict;
using sluice::files::AddressRange;

struct PerWorker final : sluice::Shared {
  explicit PerWorker(Host& host) : files(host), checks(host) {}
  void retire() override { files.close(); }

  sluice::access::UserFiles files;
  sluice::access::PasswordChecks checks;
};

// The mistakes of the options leave as exceptions, which the server reports as the filter's refusal.
std::vector<AddressRange> ranges_of(const Host& host, const std::string& option) {
  std::vector<AddressRange> ranges;
  for (const std::string& item : sluice::files::items_of(host.option(option))) {
    const std::optional<AddressRange> range = sluice::files::parse_range(item);
    if (!range) {
      throw std::runtime_error(std::string("the option ")
                                   .append(option)
                                   .append(" has '")
                                   .append(item)
                                   .append("': ")
                                   .append(sluice::files::kRangeAdvice));
    }
    ranges.push_back(*range);
  }
  return ranges;
}

// RFC 9110 section 5.6.4.
std::string quoted(std::string_view text) {
  std::string quoted = "\"";
  for (const char byte : text) {
    if (byte == '"' || byte == '\\') quoted += '\\';
    quoted += byte;
  }
  return quoted + '"';
}

// Answers carry no Vary and no Cache-Control for the credentials' sake. A shared cache may not use the answer
// to a request with Authorization for another request, unless the answer says so itself (RFC 9111 section 3.5),
// and it is no business of this filter to take that word back. 401, 403 and 503 are not kept unless they say
// so.
// No rule depends on the port.
std::string address_of(std::string_view client) {
  return std::string(client.starts_with("unix:") ? client : client.substr(0, client.rfind(':')));
}

class Access final : public sluice::Filter {
 public:
  using PerWorker = ::PerWorker;

  explicit Access(Host& host) : host_(host), shared_(static_cast<PerWorker&>(*host.shared())) {
    rules_ = {ranges_of(host, "allow"), ranges_of(host, "deny")};
    hidden_.patterns = sluice::files::items_of(host.option("hide"));
    any_is_enough_ = std::string_view(host.option("satisfy")) == "any";
    const std::string path(std::string_view(host.option("users")));
    if (any_is_enough_ && (path.empty() || rules_.allow.empty()))
      throw std::runtime_error(
          "satisfy=any chooses between allow and users: give both of them, or leave it out");
    if (path.empty() && rules_.allow.empty() && rules_.deny.empty() && hidden_.patterns.empty())
      throw std::runtime_error("it lets everybody pass: give allow, deny, users or hide");
    if (path.empty()) return;
    users_ = shared_.files.follow(path);
    const std::string value =
        "Basic realm=" + quoted(std::string_view(host.option("realm"))) + ", charset=\"UTF-8\"";
    sluice::Field challenge;
    challenge.name = "WWW-Authenticate";
    challenge.value = value;
    challenge_ = host.prepare_fields(&challenge, 1);
    if (challenge_ == nullptr)
      throw std::runtime_error("the option realm has characters that a field may not have: remove them");
  }
  ~Access() override {
    if (challenge_ != nullptr) host_.release_fields(challenge_);
  }

  void request(Exchange& exchange) override {
    const Verdict verdict = rules_.judge(exchange.client_address());
    if (verdict == Verdict::refused && !any_is_enough_) {
      sluice::files::explain(
          exchange, [&] { return address_of(exchange.client_address()) + " is in deny, or not in allow"; });
      return exchange.fail(403);
    }
    if (users_ == nullptr || (any_is_enough_ && verdict == Verdict::allowed)) {
      hide(exchange);
    } else {
      authenticate(exchange);
    }
  }

 private:
  class Login;

  void authenticate(Exchange& exchange);
  // The user has shown the password. false if the exchange is answered.
  bool admit(Exchange& exchange, const std::string& user) const {
    if (!exchange.note("user", user)) {
      exchange.fail(500);
      return false;
    }
    return !hide(exchange);
  }
  void refuse(Exchange& exchange, std::string_view why) const {
    sluice::files::explain(exchange, [why] { return why; });
    exchange.fields(*challenge_);
    exchange.fail(401);
  }
  // Only who may pass gets 404: the others see no difference between what is hidden and what is not.
  bool hide(Exchange& exchange) const {
    if (!hidden_.has(exchange.request().path)) return false;
    sluice::files::explain(exchange, [] { return "a pattern of hide= has the path"; });
    exchange.fail(404);
    return true;
  }

  Host& host_;
  PerWorker& shared_;
  sluice::access::AddressRules rules_;
  sluice::access::HiddenPaths hidden_;
  bool any_is_enough_ = false;
  std::shared_ptr<const sluice::access::FollowedUsers> users_;  // null: no password is needed
  sluice::FieldBlock* challenge_ = nullptr;
};

constexpr std::string_view kWrong = "the file of users has no such name and password";

// A request that waits for the comparison of its password.
class Access::Login final : public sluice::Task {
 public:
  Login(const Access& access, std::string user, std::shared_ptr<const PasswordCheck> check)
      : access_(access), user_(std::move(user)), check_(std::move(check)) {}
  void resumed(Exchange& exchange) override {
    switch (check_->end) {
      case PasswordCheck::End::none:
        return;
      case PasswordCheck::End::right:
        if (access_.admit(exchange, user_)) exchange.pass();
        return;
      case PasswordCheck::End::wrong:
        return access_.refuse(exchange, kWrong);
      case PasswordCheck::End::not_run:
        sluice::files::explain(exchange, [] { return "too many passwords wait for a thread"; });
        return exchange.fail(503);
    }
  }

 private:
  const Access& access_;
  const std::string user_;
  const std::shared_ptr<const PasswordCheck> check_;
};

void Access::authenticate(Exchange& exchange) {
  std::optional<Credentials> given = sluice::access::basic_credentials(exchange.request());
  const std::shared_ptr<const sluice::access::UserList> users = users_->users;
  if (!given) return refuse(exchange, "the request has no name and password");
  if (users->empty()) return refuse(exchange, "the file of users has no users");
  const std::string* hash = users->find(given->user);
  // Without a comparison, the time would tell which names there are.
  const bool decoy = hash == nullptr;
  if (decoy) hash = &users->decoy(given->user);
  const auto digest = shared_.checks.digest_of(*given, *hash);
  if (!decoy && shared_.checks.has_verified(digest)) {
    admit(exchange, given->user);
    return;
  }
  auto check = shared_.checks.compare(digest, *given, *hash, decoy, exchange.ticket());
  if (check == nullptr) return exchange.fail(503);
  exchange.defer(new Login(*this, std::move(given->user), std::move(check)));
}

constexpr sluice::OptionInfo kOptions[] = {
    {"allow", OptionType::list, 0, "",
     "addresses and ranges that may pass, as in 192.0.2.0/24, 2001:db8::/32 or unix; all others are refused",
     nullptr},
    {"deny", OptionType::list, 0, "",
     "addresses and ranges that are refused, also if allow has them; with satisfy=any a password lets them in",
     nullptr},
    {"users", OptionType::text, 0, "",
     "an htpasswd FILE of those who may pass with their password; a changed file is taken while serving",
     nullptr},
    {"realm", OptionType::text, 0, "sluice", "what browsers show when they ask for the password", nullptr},
    {"satisfy", OptionType::choice, 0, "all",
     "whether a client needs an address of allow and a password, or any of them", "all|any"},
    {"hide", OptionType::list, 0, "",
     "patterns of paths that answer 404, with all below them, as in .git or *.bak", nullptr},
};

}  // namespace

SLUICE_MODULE(Access, .name = "access", .version = "1.0.0",
              .summary = "A filter: says who may pass, by address or by password", .options = kOptions,
              .option_count = sizeof(kOptions) / sizeof(kOptions[0]));
