// The JSON form of the access log. Names and order are those of Caddy's log, and what Caddy does not know is
// behind them. Only fields that are known to hold no secrets are shown.
#include <algorithm>

#include "base/text.h"
#include "http/access_line.h"

namespace sluice {
namespace {

// The bounds of texts. A byte becomes up to six, and all together fit into a line of the ring.
constexpr std::size_t kTargetMax = 8 * 1024;
constexpr std::size_t kFieldMax = 1024;
constexpr std::size_t kNameMax = 256;

struct ShownField {
  FieldId id;
  std::string_view name;  // as it is written
};
constexpr ShownField kShown[] = {{FieldId::user_agent, R"("User-Agent":[)"},
                                 {FieldId::referer, R"("Referer":[)"},
                                 {FieldId::accept_encoding, R"("Accept-Encoding":[)"},
                                 {FieldId::range, R"("Range":[)"}};

// A JSON text (RFC 8259 section 7). A byte that is not ASCII stands for the character with its number, so that
// the line is valid whatever a client sends.
void add_text(LineBuffer& out, std::string_view text, std::size_t max = kNameMax) {
  out.add('"');
  out.add_escaped(text.substr(0, max), [](char* to, unsigned char byte) {
    static constexpr char kLowerHex[] = "0123456789abcdef";
    to = std::copy_n("\\u00", 4, to);
    *to++ = kLowerHex[byte >> 4];
    *to++ = kLowerHex[byte & 15];
    return to;
  });
  out.add('"');
}

// `name` is what stands before the value: R"(,"name":)".
template <std::size_t kSize>
void add_member(LineBuffer& out, const char (&name)[kSize], std::string_view text, std::size_t max = kNameMax) {
  out.add(name);
  add_text(out, text, max);
}

template <std::size_t kSize>
void add_number(LineBuffer& out, const char (&name)[kSize], std::uint64_t number) {
  out.add(name);
  out.add_number(number);
}

template <std::size_t kSize>
void add_truth(LineBuffer& out, const char (&name)[kSize], bool truth) {
  out.add(name);
  if (truth) {
    out.add("true");
  } else {
    out.add("false");
  }
}

// `name` as R"("Name":[)".
void add_header(LineBuffer& out, std::string_view name, std::string_view value, bool& first) {
  if (!first) out.add(',');
  out.add(name);
  add_text(out, value, kFieldMax);
  out.add(']');
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
    constexpr char kToLower = 0x20;
    const int first = line.empty() ? 0 : line.front() | kToLower;
    if (first != 'c' && first != 'l') return;  // most of them
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

void add_tls(LineBuffer& out, const TlsFacts& tls) {
  add_truth(out, R"(,"tls":{"resumed":)", tls.resumed);
  add_number(out, R"(,"version":)", tls.version);
  add_number(out, R"(,"cipher_suite":)", tls.cipher_suite);
  add_member(out, R"(,"proto":)", tls.protocol);
  add_member(out, R"(,"server_name":)", tls.server_name);
  out.add('}');
}

void add_request(LineBuffer& out, const AccessFacts& facts, const std::vector<Field>& fields) {
  const Ends peer = ends_of(facts.peer.empty() ? facts.client : facts.peer);
  add_member(out, R"("request":{"remote_ip":)", peer.address);
  add_member(out, R"(,"remote_port":)", peer.port);
  add_member(out, R"(,"client_ip":)", ends_of(facts.client).address);
  add_member(out, R"(,"proto":)", protocol_name(facts.head.version));
  add_member(out, R"(,"method":)", facts.head.method_name);
  add_member(out, R"(,"host":)", facts.head.host);
  add_member(out, R"(,"uri":)", facts.head.target, kTargetMax);
  out.add(R"(,"headers":{)");
  bool first = true;
  for (const ShownField& shown : kShown) {
    if (const Field* field = find_field(fields, shown.id)) add_header(out, shown.name, field->value, first);
  }
  out.add('}');
  if (facts.tls != nullptr) add_tls(out, *facts.tls);
  out.add('}');
}

void add_answer(LineBuffer& out, const AnswerFields& answer) {
  out.add(R"(,"resp_headers":{)");
  bool first = true;
  if (!answer.type.empty()) add_header(out, R"("Content-Type":[)", answer.type, first);
  if (!answer.coding.empty()) add_header(out, R"("Content-Encoding":[)", answer.coding, first);
  if (!answer.location.empty()) add_header(out, R"("Location":[)", answer.location, first);
  out.add('}');
}

void add_own(LineBuffer& out, const AccessFacts& facts, std::string_view coding,
             const std::vector<Field>& fields) {
  add_member(out, R"(,"site":)", facts.site);
  add_member(out, R"(,"module":)", facts.module);
  add_member(out, R"(,"mount":)", facts.mount);
  add_number(out, R"(,"generation":)", facts.generation);
  add_number(out, R"(,"connection":)", facts.connection);
  add_member(out, R"(,"ending":)", facts.ending);
  if (!facts.why.empty()) add_member(out, R"(,"why":)", facts.why);
  add_member(out, R"(,"waited_for":)", facts.waited_for);
  out.add(R"(,"waited":)");
  out.add_fraction<3>(facts.waited_ms);
  add_truth(out, R"(,"secure":)", facts.secure);
  add_member(out, R"(,"coding":)", coding);
  if (const auto trace = trace_of(value_of(fields, "traceparent")); !trace.empty())
    add_member(out, R"(,"trace_id":)", trace);
}

}  // namespace

void append_json(LineBuffer& out, const AccessFacts& facts) {
  const RequestHead& head = facts.head;
  const std::vector<Field>& fields = head.read_fields.empty() ? head.fields : head.read_fields;
  const Field* authorization = find_field(fields, FieldId::authorization);
  if (facts.status >= 500) {
    out.add(R"({"level":"error","ts":)");
  } else {
    out.add(R"({"level":"info","ts":)");
  }
  out.add_fraction<6>(facts.ended_us);
  out.add(R"(,"logger":"http.log.access","msg":"handled request",)");
  add_request(out, facts, fields);
  add_number(out, R"(,"bytes_read":)", facts.received);
  add_member(out, R"(,"user_id":)", authorization == nullptr ? "" : basic_user(authorization->value),
             kFieldMax);
  out.add(R"(,"duration":)");
  out.add_fraction<9>(facts.took_ns);
  add_number(out, R"(,"size":)", facts.sent);
  add_number(out, R"(,"status":)", facts.status);
  const AnswerFields answer(facts.fields);
  add_answer(out, answer);
  add_own(out, facts, answer.coding, fields);
  out.add("}\n");
}

}  // namespace sluice
