// The request that `sluice explain` asks about. Plain values; any thread.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "base/error.h"

namespace sluice {

struct ExplainQuery {
  std::string method = "GET";
  std::string target = "/";  // with the query, as a client sends it
  std::string host{};        // with a port, if the client names one
  std::uint16_t port = 0;    // to which it connects; 0: not known
  bool secure = false;       // by TLS
  std::string client = "127.0.0.1";
  std::vector<std::pair<std::string, std::string>> fields{};
  bool json = false;

  // One line, if no value has a line end.
  std::string encode() const;
  // The error is one sentence.
  static Result<ExplainQuery> decode(std::string_view text);
  // The request as HTTP/1.1 has it.
  std::string head() const;
};

}  // namespace sluice
