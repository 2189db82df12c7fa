#include "conformance/player.h"

#include <stdexcept>

namespace sluice::conformance {
namespace {

using test::HttpAnswer;
using test::HttpClient;

// The request sent before and after a case.
const std::string kNeighbour = get("/one.txt");

bool is_neighbour(const HttpAnswer& answer) {
  return answer.status == 200 && answer.body == "1";
}

bool is_head(std::string_view request) {
  return request.substr(std::min(request.find_first_not_of("\r\n"), request.size())).starts_with("HEAD ");
}

// Reads the final answer, after any interim ones (RFC 9110 section 15.2).
HttpAnswer read_final(HttpClient& client, bool to_head) {
  HttpAnswer answer = client.read_answer(to_head);
  while (answer.status / 100 == 1) answer = client.read_answer(to_head);
  return answer;
}

}  // namespace

const std::string& Player::etag(const std::string& path) {
  std::string& tag = etags_[path];
  if (tag.empty()) {
    HttpClient client(endpoint_, timeout_ms_);
    client.send(head(path));
    tag = client.read_answer(true).field("ETag");
    if (tag.empty()) tag = "\"the server gives none\"";
  }
  return tag;
}

std::string Player::fill_in(std::string text) {
  for (const bool weak : {false, true}) {
    const std::string opening = weak ? "{weak etag " : "{etag ";
    for (std::size_t at = 0; (at = text.find(opening)) != std::string::npos;) {
      const std::size_t end = text.find('}', at);
      const std::string path = text.substr(at + opening.size(), end - at - opening.size());
      const std::string tag = etag(path);
      text.replace(at, end + 1 - at, weak && !tag.starts_with("W/") ? "W/" + tag : tag);
    }
  }
  return text;
}

Played Player::play(const Case& tried, Delivery delivery) {
  const Expectation expected(fill_in(tried.expected));
  const std::string request = fill_in(tried.request);
  const bool to_head = is_head(request);
  Played played;
  try {
    HttpClient client(endpoint_, timeout_ms_);
    if (delivery == Delivery::pipelined) {
      client.try_send(kNeighbour + request + kNeighbour);
      if (!is_neighbour(client.read_answer()))
        return {0, "the request before it was not answered as it should be"};
    } else if (delivery == Delivery::byte_by_byte) {
      for (const char& byte : request) {
        if (!client.try_send({&byte, 1})) break;
      }
    } else {
      client.try_send(request);
    }
    if (expected.allows(0) && client.ends()) return played;
    const HttpAnswer answer = read_final(client, to_head);
    played.status = answer.status;
    played.wrong = judge_answer(expected, answer, to_head, site_);
    if (played.wrong.empty()) {
      played.wrong = judge_connection(client, expected, answer, delivery == Delivery::pipelined);
    }
  } catch (const std::runtime_error& error) {
    played.wrong = error.what();
  }
  return played;
}

// Whether the connection goes on as expected, and as the answer says (RFC 9112 section 9.6).
std::string Player::judge_connection(HttpClient& client, const Expectation& expected, const HttpAnswer& answer,
                                     bool followed) {
  const std::string connection = answer.field("Connection");
  const bool says_close = connection == "close" || (answer.version == "HTTP/1.0" && connection != "keep-alive");
  if (expected.afterwards == Afterwards::closes && !says_close)
    return "it does not say that the connection closes";
  if (expected.afterwards == Afterwards::keeps && says_close) return "it closes the connection";
  if (says_close) return client.ends() ? "" : "something follows an answer that closes the connection";
  if (!followed) client.send(kNeighbour);
  return is_neighbour(read_final(client, false)) ? ""
                                                 : "the request behind it was not answered as it should be";
}

}  // namespace sluice::conformance
