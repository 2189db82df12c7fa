// The texts by which handlers of files explain what they have decided. Any thread.
#pragma once

#include <string>
#include <string_view>

#include "common/files/open_file.h"
#include "common/http/byte_ranges.h"
#include "common/http/content_coding.h"
#include "common/http/preconditions.h"

namespace sluice::files {

// "opens a.html.br: 120 bytes, text/html, ETag "..." ..."
std::string opening(const OpenFile& file, Coding coding);
// Which of the conditions of the request has decided, and what.
std::string judgement(const Request& request, const Conditions& conditions);
std::string ranges_found(const RangeRequest& ranges);
// The codings that the client takes, the best one first.
std::string wanted_codings(const Codings& codings);

}  // namespace sluice::files
