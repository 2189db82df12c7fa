// Why a request is refused. All checks of requests return this, in any protocol. The session decides whether
// its connection can go on. Pure data, any thread.
#pragma once

#include <cstdint>
#include <string_view>

namespace sluice {

struct Refusal {
  std::uint32_t status = 0;  // to answer with; 0: the request is not refused
  // A sentence for the client, or empty. It is constant text, never the client's own bytes.
  std::string_view reason{};

  explicit operator bool() const { return status != 0; }
};

}  // namespace sluice
