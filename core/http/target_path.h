// The only judge of a request's target: from the bytes that a client sent to a path that cannot leave its root,
// and back.
//
// Pure, any thread. The result has no empty, "." or ".." segment and no NUL, begins with '/', and is decoded
// exactly once, so whoever opens it must not decode it again. It may hold any other byte a file name may hold.
#pragma once

#include <sluice/abi.h>

#include <string>
#include <string_view>

#include "http/refusal.h"

namespace sluice {

struct TargetPath {
  Refusal refusal{};       // 400, 404 or 421
  std::string_view path;   // into the target, or into `storage` where something had to be decoded
  std::string_view query;  // into the target, not decoded
};

// Accepts origin-form, absolute-form with http, and "*" (RFC 9112 section 3.2), the path of which is "*".
TargetPath judge_target(Method method, std::string_view target, std::string& storage);

}  // namespace sluice
