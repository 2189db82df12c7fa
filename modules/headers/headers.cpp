// A filter that changes the lines of answers' heads: sets, adds and removes them, says how long answers may be
// kept, and lets pages of other origins read them.
#include <sluice/module.h>

#include <stdexcept>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "common/http/media_type.h"
#include "common/http/text.h"
#include "headers/cross_origin.h"
#include "headers/header_rules.h"

namespace {

using sluice::Bytes;
using sluice::OptionType;
using sluice::files::items_of;

std::string joined(const std::vector<std::string>& items) {
  std::string text;
  for (const std::string& item : items) text += (text.empty() ? "" : ", ") + item;
  return text;
}

// The mistakes of the options leave as exceptions, which the server reports as the filter's refusal.
class Options {
 public:
  explicit Options(sluice::Host& host) : host_(host) {}

  std::vector<std::string> items(Bytes name) const { return items_of(host_.option(name)); }
  bool is_on(Bytes name) const { return host_.number(name) != 0; }
  std::vector<sluice::headers::Line> lines(const std::string& name) const {
    std::vector<sluice::headers::Line> lines;
    for (const std::string& item : items(name)) {
      lines.push_back(parsed(name, item, "NAME: VALUE"));
      check_sendable(name, lines.back());
    }
    return lines;
  }
  static sluice::headers::Line parsed(const std::string& option, const std::string& item, const char* form) {
    auto line = sluice::headers::parse_line(item);
    if (!line) throw std::runtime_error("the option " + option + " has '" + item + "': write " + form);
    return std::move(*line);
  }
  // The server itself knows what may be sent.
  void check_sendable(const std::string& option, const sluice::headers::Line& line) const {
    sluice::Field field;
    field.name = line.first;
    field.value = line.second;
    sluice::FieldBlock* block = host_.prepare_fields(&field, 1);
    if (block == nullptr)
      throw std::runtime_error("the option " + option + " has the line '" + line.first +
                               "', which a module may not send: remove it");
    host_.release_fields(block);
  }

  sluice::Host& host_;
};

class Headers final : public sluice::Filter {
 public:
  explicit Headers(sluice::Host& host) {
    const Options options(host);
    rules_.condition = {options.items("paths"), options.items("types"), options.items("status")};
    rules_.set = options.lines("set");
    rules_.add = options.lines("add");
    rules_.remove = options.items("remove");
    for (const std::string& item : options.items("cache")) {
      const sluice::headers::Line rule = options.parsed("cache", item, "TYPE: VALUE");
      check_type("cache", rule.first);
      options.check_sendable("cache", {"Cache-Control", rule.second});
      rules_.cache.push_back({rule.first, rule.second});
    }
    for (const std::string& type : rules_.condition.types) check_type("types", type);
    for (const std::string& status : rules_.condition.statuses) check_status(status);
    rules_.hashed = options.is_on("hashed");
    rules_.security = options.is_on("security");
    cors_.origins = options.items("cors");
    cors_.methods = joined(options.items("cors_methods"));
    cors_.request_fields = joined(options.items("cors_headers"));
    cors_.shown_fields = joined(options.items("cors_expose"));
    cors_.credentials = options.is_on("cors_credentials");
    cors_.max_age_s = host.number("cors_max_age") / 1000;
    for (const std::string& origin : cors_.origins) check_origin(origin);
  }

  void request(sluice::Exchange& exchange) override {
    if (rules_.condition.holds_for(exchange.request())) cors_.answer_preflight(exchange);
  }

  // The rules may set Vary, which `cors` adds to.
  void answer(sluice::Exchange& exchange, sluice::AnswerHead& head) override {
    rules_.apply(exchange.request(), head);
    if (rules_.condition.holds_for(exchange.request())) cors_.apply(exchange.request(), head);
  }

 private:
  static void check_type(const std::string& option, const std::string& type) {
    if (!sluice::files::is_type_pattern(type))
      throw std::runtime_error("the option " + option + " has the type '" + type +
                               "': write TYPE/SUBTYPE, TYPE/* or *");
  }
  static void check_status(const std::string& status) {
    const bool is_class = status.size() == 3 && status.substr(1) == "xx";
    const bool is_code = status.size() == 3 && status.find_first_not_of("0123456789") == std::string::npos;
    if (!(is_class || is_code) || status[0] < '2' || status[0] > '5')
      throw std::runtime_error("the option status has '" + status +
                               "': write a code as in 404, or a class as in 5xx");
  }
  void check_origin(const std::string& origin) const {
    if (origin == "*" && cors_.origins.size() > 1)
      throw std::runtime_error("the option cors has '*' beside other origins: write '*' alone, or remove it");
    // Fetch section 3.3.5.
    if (origin == "*" && cors_.credentials)
      throw std::runtime_error("browsers send no credentials where cors is '*': name the origins");
    const std::size_t host = origin.find("://");
    const bool is_plain =
        host != std::string::npos &&
        origin.find_first_of("/*?#@ABCDEFGHIJKLMNOPQRSTUVWXYZ", host + 3) == std::string::npos &&
        host + 3 < origin.size();
    const bool has_usual_port = (origin.starts_with("https:") && origin.ends_with(":443")) ||
                                (origin.starts_with("http:") && origin.ends_with(":80"));
    if (origin != "*" && (!is_plain || has_usual_port))
      throw std::runtime_error("the option cors has '" + origin +
                               "', which no browser sends: write SCHEME://HOST[:PORT] in lower case, without a "
                               "path and without the scheme's usual port");
  }

  sluice::headers::HeaderRules rules_;
  sluice::headers::CrossOrigin cors_;
};

constexpr sluice::OptionInfo kOptions[] = {
    {"set", OptionType::list, 0, "", "NAME: VALUE, in place of all lines with this name", nullptr},
    {"add", OptionType::list, 0, "", "NAME: VALUE, beside other lines with this name", nullptr},
    {"remove", OptionType::list, 0, "", "NAME of lines that are not sent; Server, too", nullptr},
    {"paths", OptionType::list, 0, "", "only for paths of these patterns, as in *.html or /assets/*", nullptr},
    {"types", OptionType::list, 0, "", "only for these media types, as in text/html or image/*", nullptr},
    {"status", OptionType::list, 0, "", "only for these status codes, as in 404 or 5xx", nullptr},
    {"security", OptionType::flag, 0, "off",
     "the usual lines that confine pages: nosniff, same origin for frames and openers, no camera", nullptr},
    {"cache", OptionType::list, 0, "",
     "TYPE: VALUE of Cache-Control, the first TYPE that fits, as in *: no-cache", nullptr},
    {"hashed", OptionType::flag, 0, "off",
     "names with a hash of the content, as in app.3f9a2b1c.js, are kept for ever", nullptr},
    {"cors", OptionType::list, 0, "", "origins whose pages may read answers, as in https://a.example; or *",
     nullptr},
    {"cors_methods", OptionType::list, 0, "GET\nHEAD\nPOST", "METHODs that such pages may use", nullptr},
    {"cors_headers", OptionType::list, 0, "", "NAMEs of fields that they may send; all without one", nullptr},
    {"cors_expose", OptionType::list, 0, "", "NAMEs of fields that they may read", nullptr},
    {"cors_credentials", OptionType::flag, 0, "off", "whether they may send cookies", nullptr},
    {"cors_max_age", OptionType::duration_ms, 0, "10m", "how long browsers keep what a preflight has said",
     nullptr},
};

}  // namespace

SLUICE_MODULE(Headers, .name = "headers", .version = "1.0.0",
              .summary = "A filter: sets, adds and removes fields of answers", .options = kOptions,
              .option_count = sizeof(kOptions) / sizeof(kOptions[0]));
