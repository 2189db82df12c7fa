// Names for the addresses of a snapshot: function and line, if the objects' files have them. It reads those
// files (libdw), so it is for a short-lived child with few rights.
//
// The frames were written by the process that crashed and may name any file. Only the program itself, the
// private copies of modules and the system's libraries are opened.
#pragma once

#include <string>
#include <vector>

#include "telemetry/fault_snapshot.h"

namespace sluice {

// "#0 crash(int) at crasher.cpp:12 in crasher.1.so", or "#0 0x1234 in crasher.1.so" if nothing better is
// known. `copies` is the folder of the private copies.
std::vector<std::string> describe_frames(const std::vector<Snapshot::Frame>& frames, const std::string& copies);

}  // namespace sluice
