// Names for the addresses of a snapshot: function and line, as far as the objects' files know them. Reads those
// files (libdw), so it belongs into a short-lived child that may do little.
//
// The frames were written by who crashed and may name any file: only the program itself, the private copies of
// modules and the system's libraries are opened.
#pragma once

#include <string>
#include <vector>

#include "telemetry/fault_snapshot.h"

namespace sluice {

// "#0 crash(int) at crasher.cpp:12 in crasher.1.so", or "#0 0x1234 in crasher.1.so" where nothing better is
// known. `copies`: the folder of the private copies.
std::vector<std::string> describe_frames(const std::vector<Snapshot::Frame>& frames, const std::string& copies);

}  // namespace sluice
