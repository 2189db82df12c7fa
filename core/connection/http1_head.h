// Writes the head of an answer (RFC 9112 section 4). Pure.
#pragma once

#include <cstddef>

#include "http/response_head.h"
#include "transport/output.h"

namespace sluice {

// An upper bound of the bytes that write_response_head appends.
std::size_t response_head_size_max(const ResponseHead& head);

// REQUIRES: out.room() >= response_head_size_max(head).
void write_response_head(const ResponseHead& head, Output& out);

}  // namespace sluice
