// A filter that sends requests to other paths: by redirects, which the client sees, or unseen. And to one name
// of the site, if it has several.
#include <sluice/module.h>

#include <algorithm>
#include <cstddef>
#include <stdexcept>
#include <string>
#include <string_view>
#include <vector>

#include "common/explain.h"
#include "common/http/text.h"
#include "rewrite/rewrite_rules.h"

namespace {

using sluice::OptionType;
using sluice::rewrite::RewriteRule;

constexpr std::size_t kRulesMax = 1000;
// Who signs certificates asks at the name for which he signs (RFC 8555 section 8.3).
constexpr std::string_view kChallenges = "/.well-known/acme-challenge/";

class Rewrite final : public sluice::Filter {
 public:
  explicit Rewrite(sluice::Host& host) : canonical_(std::string_view(host.option("canonical"))) {
    for (const std::string& rule : sluice::files::items_of(host.option("rules"))) {
      if (rules_.size() == kRulesMax)
        throw std::runtime_error("there are more than 1000 rules: join some by patterns");
      rules_.emplace_back(rule);
    }
    check_canonical();
  }

  void request(sluice::Exchange& exchange) override {
    const sluice::Request& request = exchange.request();
    set_path(request);
    if (!canonical_.empty() && !path_.starts_with(kChallenges)) {
      const auto address =
          sluice::rewrite::canonical_address(canonical_, request.scheme, request.authority, request.target);
      if (address) {
        sluice::files::explain(exchange, [&] { return "canonical= sends all to " + canonical_; });
        return redirect(exchange, 308, *address);
      }
    }
    for (const RewriteRule& rule : rules_) {
      const auto to = rule.apply(path_, request.query);
      if (!to) continue;
      sluice::files::explain(exchange, [&] {
        return "rule " + std::to_string(&rule - rules_.data() + 1) + " has the path " + path_;
      });
      if (to->status != 0) return redirect(exchange, to->status, to->target);
      return exchange.hand_over(to->target);
    }
  }

 private:
  // The filter also stands before its prefix without the last slash, where there is nothing below it.
  void set_path(const sluice::Request& request) {
    path_ = std::string_view(request.mount);
    path_ += std::string_view(request.path);
    const std::string_view target = request.target;
    if (request.path.size == 0 && !target.substr(0, target.find('?')).ends_with('/')) path_.pop_back();
    if (path_.empty()) path_ = "/";
  }

  void check_canonical() const {
    if (canonical_.empty()) return;
    const std::size_t name = canonical_.find("://");
    const bool has_scheme = canonical_.starts_with("http://") || canonical_.starts_with("https://");
    const bool is_name = has_scheme && name + 3 < canonical_.size() &&
                         std::all_of(canonical_.begin() + static_cast<std::ptrdiff_t>(name) + 3,
                                     canonical_.end(), [](char byte) {
                                       return byte > ' ' && byte < '\x7f' &&
                                              std::string_view("/?#@").find(byte) == std::string_view::npos;
                                     });
    if (!is_name)
      throw std::runtime_error("the option canonical is '" + canonical_ +
                               "': write http://NAME or https://NAME in ASCII, without a path");
  }

  // A Location that is too long for an answer comes from a target that is too long.
  static void redirect(sluice::Exchange& exchange, std::uint32_t status, const std::string& to) {
    exchange.fail(exchange.field("Location", to) ? status : 414);
  }

  std::string canonical_;
  std::vector<RewriteRule> rules_;
  std::string path_;  // of the present request; kept for its memory
};

constexpr sluice::OptionInfo kOptions[] = {
    {"rules", OptionType::list, 0, "",
     "PATTERN TARGET [STATUS]: the first PATTERN (RE2) in the path counts; \\1 or $1 in TARGET is its first "
     "group; "
     "with a STATUS from 301 to 308 the client is sent there; a '?' at the end drops the query",
     nullptr},
    {"canonical", OptionType::text, 0, "",
     "scheme and name to which all other ones are sent, as in https://example.org; behind a proxy that ends "
     "TLS, --trusted-proxies has to name it",
     nullptr},
};

}  // namespace

SLUICE_MODULE(Rewrite, .name = "rewrite", .version = "1.0.0",
              .summary = "A filter: redirects, and paths that other paths answer", .options = kOptions,
              .option_count = sizeof(kOptions) / sizeof(kOptions[0]));
