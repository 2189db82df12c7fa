// The module whose fault it is that a worker died or is held up. The snapshot of a fault, the notes of the
// worker's threads, or the frames of a backtrace tell in which module a thread is.
//
// Reads memory that a faulty worker may write meanwhile. Any thread of the supervisor.
#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include "module/module_set.h"
#include "telemetry/worker_stats.h"

namespace sluice {

// The content of a snapshot, copied out of shared memory.
struct Culprit {
  std::string module;  // empty: the server itself
  std::uint32_t generation = 0;
  std::string request;   // empty if there is none
  int signal = 0;        // 0 if there is none
  bool outside = false;  // another process ended this one, whatever it was doing
  int sent_by = 0;       // that process; 0 if there is none, or if it is unknown
  std::vector<Snapshot::Frame> frames;

  // The module that has the fault; empty if none has.
  std::string blamed() const { return outside ? std::string() : module; }
  // "inside module hello, generation 2, for GET /x HTTP/1.1"
  std::string text() const;
};

// Reads a snapshot that was taken. Request and frames are missing if it could not be finished.
Culprit read_snapshot(const WorkerStats& stats, const Snapshot& snapshot);
// The module that a thread is in; without frames.
Culprit read_note(const WorkerStats& stats, const CallNote& note);
// For a process that left no snapshot: the module that its loop was in, else its offload threads, if they
// agree.
Culprit read_notes(const WorkerStats& stats);
// Blames the first of these modules that a frame is in. For a thread without a note.
void name_by_frames(Culprit& culprit, const ModuleSet& modules);

}  // namespace sluice
