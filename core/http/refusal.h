// Why a request is not answered as it asks. Every judge of requests returns this, whatever protocol brings
// them; the session decides whether its connection can go on. Pure data, any thread.
#pragma once

#include <cstdint>
#include <string_view>

namespace sluice {

struct Refusal {
  std::uint32_t status = 0;  // to answer with; 0: nothing is refused
  std::string_view
      reason{};  // a sentence for the client, or empty. Constant text, never the client's own bytes

  explicit operator bool() const { return status != 0; }
};

}  // namespace sluice
