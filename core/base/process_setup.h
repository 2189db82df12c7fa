// Prepares the process of a server before it serves. One thread.
#pragma once

#include <cstdint>
#include <initializer_list>

#include "base/error.h"
#include "base/unique_fd.h"

namespace sluice {

// Raises the limit of descriptors to the hard limit.
void raise_descriptor_limit();

// Makes room for `count` descriptors (REQUIRES: at least one), as far as the limit allows. Later, in a
// process of several threads, growing the table would take milliseconds, in which the caller sleeps.
void reserve_descriptors(std::uint64_t count);

// Asks the scheduler for short slices: this thread then runs soon after it wakes up, and for a short time,
// beside others on the same processor. Its share of the processor stays the same. No effect before Linux 6.12.
void ask_for_short_slices();

// Makes malloc(3) merge a freed piece with its neighbours at once. By default it keeps small pieces apart, and
// the free of a large piece later merges thousands of them in one call.
void disable_malloc_fastbins();

// Opens /dev/null for each of stdin, stdout and stderr that is closed. Otherwise a file that is opened later
// could get the number of stderr, and with it the output to stderr.
void open_standard_descriptors();

// Ignores, from now on, the signals that have no meaning for a server, so that they do not end it.
void ignore_idle_signals();

// From now on the signal waits until it is read.
void hold_signal(int signal);

// From now on these signals are only read, from the returned descriptor (signalfd(2)).
Result<UniqueFd> open_signal_fd(std::initializer_list<int> signals);
// The next of these signals, 0 for none.
int next_signal(int fd);

// Undoes all of these for a program that is about to be executed.
void reset_signals();

// Core dumps of this process have no memory that a program has written, so no keys either (core(5)).
void leave_memory_out_of_dumps();

}  // namespace sluice
