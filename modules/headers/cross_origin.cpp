#include "headers/cross_origin.h"

#include <algorithm>

#include "common/http/request_field.h"

namespace sluice::headers {

using files::field_of;

std::string_view CrossOrigin::allowed(std::string_view origin) const {
  if (says_any()) return "*";
  const auto known = std::find(origins.begin(), origins.end(), origin);
  return known == origins.end() ? std::string_view() : std::string_view(*known);
}

bool CrossOrigin::answer_preflight(Exchange& exchange) const {
  const Request& request = exchange.request();
  const std::string_view origin = field_of(request, "Origin");
  if (!is_on() || request.method != Method::options || origin.empty() ||
      field_of(request, "Access-Control-Request-Method").empty())
    return false;
  exchange.status(204);
  exchange.field("Vary", "Origin, Access-Control-Request-Method, Access-Control-Request-Headers");
  // A browser that finds no field of these tells the page that the request is not allowed.
  if (const std::string_view value = allowed(origin); !value.empty()) {
    exchange.field("Access-Control-Allow-Origin", value);
    exchange.field("Access-Control-Allow-Methods", methods);
    const std::string_view asked = field_of(request, "Access-Control-Request-Headers");
    const std::string_view fields = request_fields.empty() ? asked : std::string_view(request_fields);
    if (!fields.empty()) exchange.field("Access-Control-Allow-Headers", fields);
    if (credentials) exchange.field("Access-Control-Allow-Credentials", "true");
    exchange.field("Access-Control-Max-Age", std::to_string(max_age_s));
  }
  exchange.send("");
  return true;
}

void CrossOrigin::apply(const Request& request, AnswerHead& head) const {
  if (!is_on()) return;
  // Caches must not give one origin's answer to another, also not an answer that allows nothing.
  if (!says_any()) head.add("Vary", "Origin");
  const std::string_view value = allowed(field_of(request, "Origin"));
  if (value.empty()) {
    head.remove("Access-Control-Allow-Origin");
    head.remove("Access-Control-Allow-Credentials");
    return;
  }
  head.set("Access-Control-Allow-Origin", value);
  if (credentials) head.set("Access-Control-Allow-Credentials", "true");
  if (!shown_fields.empty()) head.set("Access-Control-Expose-Headers", shown_fields);
}

}  // namespace sluice::headers
