// Makes a path that cannot leave its root of a request's target. No other code interprets targets.
//
// Pure, any thread. The path begins with '/', has no empty, "." or ".." segment and no NUL, and is decoded
// once, so callers must not decode it again. It may have any other byte of a file name.
#pragma once

#include <sluice/abi.h>

#include <string>
#include <string_view>

#include "http/refusal.h"

namespace sluice {

struct TargetPath {
  Refusal refusal{};           // 400, 404 or 421
  std::string_view authority;  // of a target in absolute form
  std::string_view path;   // points into the target, or into `storage` if it had to be decoded or normalised
  std::string_view query;  // points into the target; not decoded
};

// Accepts origin-form, absolute-form with http, or with https if the connection is secured by TLS, and "*" (RFC
// 9112 section 3.2). The path of "*" is "*".
TargetPath judge_target(Method method, std::string_view target, bool secured, std::string& storage);

// A target as it stands behind the authority, not decoded: "/path?query". REQUIRES: judge_target accepts it.
std::string_view without_authority(std::string_view target);

}  // namespace sluice
