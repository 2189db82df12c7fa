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

// Asks that this thread run soon after it has woken up, for short times, beside others on the same processor:
// its share of it stays the same. Without effect before Linux 6.12.
void run_in_short_slices();

// From now on malloc(3) joins what is freed with its neighbours at once. It would put small pieces aside, and a
// later free of something large would join thousands of them in one go.
void spread_frees();

// Opens /dev/null for each of stdin, stdout and stderr that is closed, so that no file that is opened later
// takes its number and what is written to stderr.
void open_standard_descriptors();

// From now on the signals that mean nothing to a server are ignored: no sender ends it by one of them.
void ignore_idle_signals();

// From now on it waits until it is read.
void hold_signal(int signal);

// From now on these signals are only read, from what is returned (signalfd(2)).
Result<UniqueFd> take_signals(std::initializer_list<int> signals);
// The next one of them, 0 for none.
int next_signal(int fd);

}  // namespace sluice
