// Whose fault it is that a worker died or is held up: the module that one of its threads is in, as the snapshot
// of a fault, the notes of its threads or the frames of a backtrace tell.
//
// Reads memory that a worker gone mad may write meanwhile. Any thread of the supervisor.
#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include "module/module_set.h"
#include "telemetry/worker_stats.h"

namespace sluice {

// What a snapshot says, copied out of shared memory.
struct Culprit {
  std::string module;  // empty: the server itself
  std::uint32_t generation = 0;
  std::string request;   // empty: none
  int signal = 0;        // 0 for none
  bool outside = false;  // somebody else ended the process, whatever it was doing
  int sent_by = 0;       // who that was; 0 for nobody or unknown
  std::vector<Snapshot::Frame> frames;

  // The module whose fault it was; empty for none.
  std::string blamed() const { return outside ? std::string() : module; }
  // "inside module hello, generation 2, for GET /x HTTP/1.1"
  std::string text() const;
};

// Of a snapshot that has been taken; one without a request or frames when it could not be finished.
Culprit read_snapshot(const WorkerStats& stats, const Snapshot& snapshot);
// What a thread is in, without frames.
Culprit read_note(const WorkerStats& stats, const CallNote& note);
// What a process was in that has left no snapshot: its loop, else its offload threads, as far as they agree.
Culprit read_notes(const WorkerStats& stats);
// Blames the first of these modules that a frame is in: for a thread that has noted nothing.
void name_by_frames(Culprit& culprit, const ModuleSet& modules);

}  // namespace sluice
