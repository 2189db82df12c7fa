// Errors as values: `Result<T>` is what every fallible function of the core returns.
//
// An Error is one sentence for the person who can do something about it; it names the thing and the remedy.
#pragma once

#include <cstring>
#include <string>
#include <tl/expected.hpp>
#include <utility>

namespace sluice {

struct Error {
  std::string message;
};

template <typename T>
using Result = tl::expected<T, Error>;

using Unexpected = tl::unexpected<Error>;

inline Unexpected fail(std::string message) {
  return Unexpected(Error{std::move(message)});
}

// "what: why", where why is the text of an errno.
inline Unexpected fail_errno(const std::string& what, int error_number) {
  return fail(what + ": " + std::strerror(error_number));
}

}  // namespace sluice
