// What a server asks of its process before it serves. One thread.
#pragma once

#include <cstdint>
#include <initializer_list>

#include "error.h"
#include "unique_fd.h"

namespace sluice {

// As many descriptors as the hard limit allows.
void raise_descriptor_limit();

// Makes room for this many descriptors at once (as far as the limit allows). Later a process of several threads
// would wait for that: growing the table takes milliseconds, in which the caller sleeps.
void reserve_descriptors(std::uint64_t count);

// From now on these signals are only read, from what is returned (signalfd(2)).
Result<UniqueFd> take_signals(std::initializer_list<int> signals);
// The next one of them, 0 for none.
int next_signal(int fd);

}  // namespace sluice
