// How the messages of a WebSocket are coded by an extension that client and server have agreed on (RFC 6455
// section 9). One object for one connection; loop thread.
#pragma once

#include <cstddef>
#include <cstdint>
#include <memory>
#include <string>
#include <string_view>

namespace sluice::kit {

class WebSocketCoding {
 public:
  virtual ~WebSocketCoding() = default;
  // Codes a message into `out`. False if it is sent as it is.
  virtual bool code(std::string_view message, std::string& out) = 0;
  // Decodes a client's message into `out`, which never holds more than `size_max` bytes. Returns the code to
  // close with if that fails, else 0.
  virtual std::uint16_t decode(std::string_view coded, std::size_t size_max, std::string& out) = 0;
};

// Makes the coding for the extensions that a client offers, and the `answer` that accepts it; null if it
// accepts none.
using WebSocketCodings = std::unique_ptr<WebSocketCoding> (*)(std::string_view extensions, std::string& answer);

}  // namespace sluice::kit
