// Codes content that lies in memory, at once and better than a stream: for an offload thread. Throws as the
// coders do.
#pragma once

#include <string>
#include <string_view>

#include "common/http/content_coding.h"

namespace sluice::compress {

// Empty if that makes the content no shorter. REQUIRES: not Coding::identity.
std::string code_whole(files::Coding coding, std::string_view content);

}  // namespace sluice::compress
