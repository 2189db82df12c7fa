// Names for the addresses of a snapshot: function and line, as far as the objects' files know them. Reads those
// files (libdw), so it belongs into a short-lived child.
#pragma once

#include <string>
#include <vector>

#include "call_note.h"

namespace sluice {

// "#0 crash(int) at crasher.cpp:12 in crasher.1.so", or "#0 0x1234 in crasher.1.so" where nothing better is
// known.
std::vector<std::string> describe_frames(const std::vector<Snapshot::Frame>& frames);

}  // namespace sluice
