// The JSON form of the access log. Names and order are those of Caddy's log, and what Caddy does not know is
// behind them. Only fields that are known to hold no secrets are shown.
#include <algorithm>

#include "base/text.h"
#include "http/access_line.h"
#include "http/escaped_text.h"

namespace sluice {
namespace {

// The bounds of texts. A byte becomes up to six, and all together fit into a line of the ring.
constexpr std::size_t kTargetMax = 8 * 1024;
constexpr std::size_t kFieldMax = 1024;
constexpr std::size_t kNameMax = 256;

struct ShownField {
  FieldId id;
  std::string_view name;
};
constexpr ShownField kShown[] = {{FieldId::user_agent, "User-Agent"},
                                 {FieldId::referer, "Referer"},
                                 {FieldId::accept_encoding, "Accept-Encoding"},
                                 {FieldId::range, "Range"}};

// With `digits` digits behind the point.
void append_fraction(std::string& out, std::uint64_t number, int digits) {
  std::uint64_t unit = 1;
  for (int i = 0; i < digits; ++i) unit *= 10;
  append_number(out, number / unit);
  out += '.';
  for (std::uint64_t rest = number % unit; unit > 1; rest %= unit) {
    unit /= 10;
    out += static_cast<char>('0' + rest / unit);
  }
}

// A JSON text (RFC 8259 section 7). A byte that is not ASCII stands for the character with its number, so that
// the line is valid whatever a client sends.
void append_text(std::string& out, std::string_view text, std::size_t max = kNameMax) {
  static constexpr char kLowerHex[] = "0123456789abcdef";
  out += '"';
  append_with_escapes(out, text.substr(0, max), [&out](unsigned char byte) {
    out += "\\u00";
    out += kLowerHex[byte >> 4];
    out += kLowerHex[byte & 15];
  });
  out += '"';
}

void append_name(std::string& out, std::string_view name) {
  out.append(",\"").append(name).append("\":");
}

void append_member(std::string& out, std::string_view name, std::string_view text, std::size_t max = kNameMax) {
  append_name(out, name);
  append_text(out, text, max);
}

void append_member(std::string& out, std::string_view name, std::uint64_t number) {
  append_name(out, name);
  append_number(out, number);
}

void append_header(std::string& out, std::string_view name, std::string_view value, bool& first) {
  out.append(first ? "\"" : ",\"").append(name).append("\":[");
  append_text(out, value, kFieldMax);
  out += ']';
  first = false;
}

const Field* find_field(const std::vector<Field>& fields, FieldId id) {
  const auto found =
      std::find_if(fields.begin(), fields.end(), [id](const Field& field) { return field.id == id; });
  return found == fields.end() ? nullptr : &*found;
}

std::string_view value_of(const std::vector<Field>& fields, std::string_view name) {
  for (const Field& field : fields) {
    if (equals_ignoring_case(field.name, name)) return field.value;
  }
  return {};
}

// The fields of an answer that are shown.
struct AnswerFields {
  std::string_view type;
  std::string_view coding;
  std::string_view location;

  explicit AnswerFields(std::string_view lines) {
    while (!lines.empty()) {
      const std::size_t end = std::min(lines.find('\n'), lines.size());
      take(lines.substr(0, end));
      lines.remove_prefix(std::min(end + 1, lines.size()));
    }
  }

 private:
  void take(std::string_view line) {
    const std::size_t colon = line.find(':');
    if (colon == std::string_view::npos) return;
    const std::string_view name = line.substr(0, colon);
    std::string_view* place = equals_ignoring_case(name, "Content-Type")       ? &type
                              : equals_ignoring_case(name, "Content-Encoding") ? &coding
                              : equals_ignoring_case(name, "Location")         ? &location
                                                                               : nullptr;
    if (place != nullptr) *place = trimmed(line.substr(colon + 1), " \t\r");
  }
};

struct Ends {
  std::string_view address;
  std::string_view port;
};

Ends ends_of(std::string_view peer) {
  if (peer.ends_with(']')) return {trimmed(peer, "[]"), {}};
  const std::size_t colon = peer.rfind(':');
  if (colon == std::string_view::npos || colon + 1 == peer.size()) return {peer, {}};
  return {trimmed(peer.substr(0, colon), "[]"), peer.substr(colon + 1)};
}

std::string_view protocol_name(std::uint32_t version) {
  return version == 20 ? "HTTP/2.0" : version == 11 ? "HTTP/1.1" : version == 10 ? "HTTP/1.0" : "";
}

void append_tls(std::string& out, const TlsFacts& tls) {
  out.append(R"(,"tls":{"resumed":)").append(tls.resumed ? "true" : "false");
  append_member(out, "version", tls.version);
  append_member(out, "cipher_suite", tls.cipher_suite);
  append_member(out, "proto", tls.protocol);
  append_member(out, "server_name", tls.server_name);
  out += '}';
}

void append_request(std::string& out, const AccessFacts& facts, const std::vector<Field>& fields) {
  const Ends peer = ends_of(facts.peer.empty() ? facts.client : facts.peer);
  out += R"("request":{"remote_ip":)";
  append_text(out, peer.address);
  append_member(out, "remote_port", peer.port);
  append_member(out, "client_ip", ends_of(facts.client).address);
  append_member(out, "proto", protocol_name(facts.head.version));
  append_member(out, "method", facts.head.method_name);
  append_member(out, "host", facts.head.host);
  append_member(out, "uri", facts.head.target, kTargetMax);
  out += ",\"headers\":{";
  bool first = true;
  for (const ShownField& shown : kShown) {
    if (const Field* field = find_field(fields, shown.id)) append_header(out, shown.name, field->value, first);
  }
  out += '}';
  if (facts.tls != nullptr) append_tls(out, *facts.tls);
  out += '}';
}

void append_answer(std::string& out, const AnswerFields& answer) {
  append_name(out, "resp_headers");
  out += '{';
  bool first = true;
  if (!answer.type.empty()) append_header(out, "Content-Type", answer.type, first);
  if (!answer.coding.empty()) append_header(out, "Content-Encoding", answer.coding, first);
  if (!answer.location.empty()) append_header(out, "Location", answer.location, first);
  out += '}';
}

void append_own(std::string& out, const AccessFacts& facts, std::string_view coding,
                const std::vector<Field>& fields) {
  append_member(out, "site", facts.site);
  append_member(out, "module", facts.module);
  append_member(out, "mount", facts.mount);
  append_member(out, "generation", facts.generation);
  append_member(out, "connection", facts.connection);
  append_member(out, "ending", facts.ending);
  if (!facts.why.empty()) append_member(out, "why", facts.why);
  append_member(out, "waited_for", facts.waited_for);
  append_name(out, "waited");
  append_fraction(out, facts.waited_ms, 3);
  append_name(out, "secure");
  out += facts.secure ? "true" : "false";
  append_member(out, "coding", coding);
  if (const auto trace = trace_of(value_of(fields, "traceparent")); !trace.empty())
    append_member(out, "trace_id", trace);
}

}  // namespace

void append_json(std::string& out, const AccessFacts& facts) {
  const RequestHead& head = facts.head;
  const std::vector<Field>& fields = head.read_fields.empty() ? head.fields : head.read_fields;
  const Field* authorization = find_field(fields, FieldId::authorization);
  out.append(R"({"level":")").append(facts.status >= 500 ? "error" : "info").append(R"(","ts":)");
  append_fraction(out, facts.ended_us, 6);
  out += R"(,"logger":"http.log.access","msg":"handled request",)";
  append_request(out, facts, fields);
  append_member(out, "bytes_read", facts.received);
  append_member(out, "user_id", authorization == nullptr ? "" : basic_user(authorization->value), kFieldMax);
  append_name(out, "duration");
  append_fraction(out, facts.took_ns, 9);
  append_member(out, "size", facts.sent);
  append_member(out, "status", facts.status);
  const AnswerFields answer(facts.fields);
  append_answer(out, answer);
  append_own(out, facts, answer.coding, fields);
  out += "}\n";
}

}  // namespace sluice
