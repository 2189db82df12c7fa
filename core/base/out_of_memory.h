// When the system has no memory for what a client asks for, one request ends, never the worker.
#pragma once

#include <new>
#include <string_view>

#include "base/log.h"

namespace sluice {

// False, with the sentence in the log, if the call ran out of memory.
template <typename Call>
bool unless_out_of_memory(std::string_view sentence, Call&& call) {
  try {
    call();
    return true;
  } catch (const std::bad_alloc&) {
    log_rarely(LogLevel::error, sentence);  // logging allocates nothing
  }
  return false;
}

}  // namespace sluice
