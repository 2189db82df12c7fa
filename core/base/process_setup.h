// What a server asks of its process before it serves. One thread.
#pragma once

#include <cstdint>
#include <initializer_list>

#include "base/error.h"
#include "base/unique_fd.h"

namespace sluice {

// As many descriptors as the hard limit allows.
void raise_descriptor_limit();

// Makes room for this many descriptors (REQUIRES: at least one) at once (as far as the limit allows). Later a
// process of several threads would wait for that: growing the table takes milliseconds, in which the caller
// sleeps.
void reserve_descriptors(std::uint64_t count);

// Asks the scheduler for short slices: this thread then runs soon after it wakes up, and for a short time,
// beside others on the same processor. Its share of the processor stays the same. No effect before Linux 6.12.
void ask_for_short_slices();

// Makes malloc(3) merge a freed piece with its neighbours at once. By default it keeps small pieces apart, and
// the free of a large piece later merges thousands of them in one call.
void disable_malloc_fastbins();

// Opens /dev/null for each of stdin, stdout and stderr that is closed, so that no file that is opened later
// takes its number and what is written to stderr.
void open_standard_descriptors();

// From now on the signals that mean nothing to a server are ignored: no sender ends it by one of them.
void ignore_idle_signals();

// From now on it waits until it is read.
void hold_signal(int signal);

// From now on these signals are only read, from what is returned (signalfd(2)).
Result<UniqueFd> open_signal_fd(std::initializer_list<int> signals);
// The next one of them, 0 for none.
int next_signal(int fd);

}  // namespace sluice
