// What a server asks of its process before it serves. One thread.
#pragma once

#include <initializer_list>

#include "error.h"
#include "unique_fd.h"

namespace sluice {

// As many descriptors as the hard limit allows.
void raise_descriptor_limit();

// From now on these signals are only read, from what is returned (signalfd(2)).
Result<UniqueFd> take_signals(std::initializer_list<int> signals);
// The next one of them, 0 for none.
int next_signal(int fd);

}  // namespace sluice
