#include "conformance/http2_player.h"

#include <memory>
#include <stdexcept>

#include "support/tls_client.h"

namespace sluice::conformance {
namespace {

using test::Http2Answer;
using test::Http2Wire;

// The request that shows whether the connection goes on.
constexpr std::uint32_t kLaterStream = 0x7ffffff1;

class Connection {
 public:
  Connection(const test::Endpoint& endpoint, bool tls, int timeout_ms) {
    if (tls) {
      test::TlsOptions options;
      options.timeout_ms = timeout_ms;
      options.protocols = "\x02h2";
      tls_ = std::make_unique<test::TlsClient>(endpoint, options);
    } else {
      clear_ = std::make_unique<test::HttpClient>(endpoint, timeout_ms);
    }
  }
  void send(const std::string& bytes) {
    try {
      if (tls_ != nullptr) {
        tls_->send(bytes);
      } else {
        clear_->try_send(bytes);
      }
    } catch (const std::runtime_error&) {
      // The server has closed already; what it has said can still be read.
    }
  }
  std::string read() { return tls_ != nullptr ? tls_->read_available() : clear_->read_available(); }

 private:
  std::unique_ptr<test::TlsClient> tls_;
  std::unique_ptr<test::HttpClient> clear_;
};

std::vector<std::string> split(const std::string& text, const std::string& by) {
  std::vector<std::string> parts;
  std::size_t at = 0;
  for (std::size_t end = text.find(by); end != std::string::npos; end = text.find(by, at)) {
    parts.push_back(text.substr(at, end - at));
    at = end + by.size();
  }
  parts.push_back(text.substr(at));
  return parts;
}

std::string told(const Http2Answer& answer) {
  if (answer.was_reset && answer.status.empty())
    return std::string("reset ") + nghttp2_http2_strerror(answer.reset_code);
  return answer.status.empty() ? "nothing" : answer.status;
}

std::string judge_stream(const Http2Answer& answer, const std::string& wanted) {
  if (wanted.starts_with("!"))
    return answer.field(wanted.substr(1)).empty() ? "" : "it has the field " + wanted.substr(1);
  if (wanted.starts_with("size ")) {
    const std::string size = std::to_string(answer.content.size());
    const char* end = answer.was_reset ? ", reset" : answer.ended ? ", ended" : ", open";
    return "size " + size == wanted ? "" : "it got " + told(answer) + " with " + size + " bytes" + end;
  }
  if (const std::size_t equals = wanted.find('='); equals != std::string::npos) {
    const std::string value = answer.field(wanted.substr(0, equals));
    return value == wanted.substr(equals + 1) ? "" : "the field is '" + value + "'";
  }
  for (const std::string& one : split(wanted, ", ")) {
    if (told(answer) == one) return "";
  }
  return "it got " + told(answer);
}

// Whether all streams of which something is expected have ended.
bool are_done(const Http2Wire& wire, const std::string& expected) {
  for (const std::string& part : split(expected, " | ")) {
    const std::size_t colon = part.find(": ");
    if (colon == std::string::npos || part.find("nothing") != std::string::npos) continue;
    if (!wire.is_done(static_cast<std::uint32_t>(std::stoul(part)))) return false;
  }
  return true;
}

std::string judge(Http2Wire& wire, const std::string& expected) {
  bool goes_on = true;
  for (const std::string& part : split(expected, " | ")) {
    if (part.starts_with("goaway")) {
      goes_on = false;
      const bool may_close = part.find("closed") != std::string::npos;
      if (wire.goaways().empty() && may_close) continue;
      if (wire.goaways().empty()) return "the connection was not ended by GOAWAY";
      const std::string code = nghttp2_http2_strerror(wire.goaways().back().code);
      if (part.find(code) == std::string::npos) return "GOAWAY says " + code;
    } else if (part.starts_with("pong ")) {
      if (part != "pong " + std::to_string(wire.pings_acknowledged())) return "other pongs than " + part;
    } else if (part.starts_with("settings ")) {
      if (part != "settings " + std::to_string(wire.settings_acknowledged())) return "other acks than " + part;
    } else {
      const std::size_t colon = part.find(": ");
      const auto id = static_cast<std::uint32_t>(std::stoul(part.substr(0, colon)));
      const std::string wrong = judge_stream(wire.answer(id), part.substr(colon + 2));
      if (!wrong.empty()) return "stream " + std::to_string(id) + ": " + wrong;
    }
  }
  const bool went_on = wire.is_done(kLaterStream) && wire.goaways().empty();
  if (goes_on && !went_on) {
    return wire.goaways().empty() ? std::string("the connection does not go on")
                                  : std::string("GOAWAY ") + nghttp2_http2_strerror(wire.goaways().back().code);
  }
  return "";
}

}  // namespace

std::string play_http2(const Http2Case& tried, const test::Endpoint& endpoint, bool tls, int timeout_ms) {
  try {
    Http2Wire wire;
    wire.secure = tls;
    Connection connection(endpoint, tls, timeout_ms);
    const std::string start = tried.bare ? "" : wire.preface();
    connection.send(start + tried.frames(wire));
    const bool goes_on = tried.expected.find("goaway") == std::string::npos;
    if (goes_on) connection.send(wire.get(kLaterStream, "/none"));
    for (std::string got = connection.read(); !got.empty(); got = connection.read()) {
      wire.take(got);
      if (goes_on && wire.is_done(kLaterStream) && are_done(wire, tried.expected)) break;
      if (!goes_on && !wire.goaways().empty()) break;
      if (const std::string due = wire.due(); !due.empty()) connection.send(due);
    }
    std::string wrong = judge(wire, tried.expected);
    if (!wrong.empty() && goes_on && !wire.goaways().empty())
      wrong +=
          std::string(", and the connection was ended: ") + nghttp2_http2_strerror(wire.goaways().back().code);
    return wrong;
  } catch (const std::exception& error) {
    return error.what();
  }
}

}  // namespace sluice::conformance
