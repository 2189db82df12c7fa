#include "compress/dictionary_terms.h"

#include <algorithm>
#include <string_view>

#include "common/http/request_field.h"
#include "common/http/text.h"
#include "compress/dictionary_fields.h"
#include "compress/head_lists.h"

namespace sluice::compress {
namespace {

using files::field_of;

// https://w3c.github.io/webappsec-secure-contexts/, section 3.1.
bool is_own_host(std::string_view authority) {
  if (authority.starts_with('[')) return authority.substr(0, authority.find(']')) == "[::1";
  const std::string host = files::lower_text(authority.substr(0, authority.find(':')));
  const bool is_address =
      std::all_of(host.begin(), host.end(), [](char byte) { return files::is_digit(byte) || byte == '.'; });
  return host == "localhost" || host.ends_with(".localhost") || (is_address && host.starts_with("127."));
}

bool may_be_fresh(const AnswerHead& head) {
  bool is_fresh = false;
  const bool is_never = any_member(head, "Cache-Control", [&](std::string_view member) {
    const std::string_view name = files::trimmed(files::take_part(member, '='));
    const bool has_time = files::leading_number(files::trimmed(member, " \t\"")) > 0;
    is_fresh = is_fresh || (has_time && (files::equals_ignoring_case(name, "max-age") ||
                                         files::equals_ignoring_case(name, "stale-while-revalidate")));
    return files::equals_ignoring_case(name, "no-cache") || files::equals_ignoring_case(name, "no-store");
  });
  return is_fresh && !is_never;
}

// Whether a page that may not read the answer could learn something from its size (section 9.3.3): it does not
// say that it is of another origin, or that origin may read the answer.
bool is_readable(const Request& request, const AnswerHead& head) {
  const std::string_view site = field_of(request, "Sec-Fetch-Site");
  const std::string_view mode = field_of(request, "Sec-Fetch-Mode");
  if (site.empty() || site == "same-origin" || mode.empty() || mode == "navigate" || mode == "same-origin")
    return true;
  const std::string_view origin = field_of(request, "Origin");
  const std::string_view allowed = head.field("Access-Control-Allow-Origin");
  return mode == "cors" && !origin.empty() && (allowed == "*" || allowed == origin);
}

}  // namespace

// Who answers may have dictionaries of their own.
bool may_have_dictionaries(const Request& request, const AnswerHead& head) {
  return (std::string_view(request.scheme) == "https" || is_own_host(request.authority)) &&
         may_be_fresh(head) && head.field("Use-As-Dictionary").size == 0;
}

DictionaryTerms dictionary_terms(const Request& request, const AnswerHead& head) {
  if (!may_have_dictionaries(request, head)) return {};
  DictionaryTerms terms;
  terms.pattern = dictionary_pattern(request.target);
  if (terms.pattern.empty()) return {};
  terms.group = request.scheme;
  terms.group.append(1, '\0').append(request.authority).append(1, '\0').append(terms.pattern);
  if (accepts_dcz(request) && is_readable(request, head)) terms.available = available_dictionary(request);
  return terms;
}

}  // namespace sluice::compress
