// What a supervisor and its workers say to each other, a message a packet of a socket pair (SOCK_SEQPACKET). A
// message may carry a descriptor. Neither side waits for the other. Any thread.
#pragma once

#include <cstdint>
#include <string>

#include "base/unique_fd.h"

namespace sluice {

enum class ControlMessage : char {
  // From a worker.
  ready = 'r',     // it can serve
  prepared = 'P',  // what `prepare` of that number asked for can be put into force
  refused = 'R',   // it cannot; the text says why
  // To a worker.
  accept = 'y',   // begin to accept connections
  stop = 's',     // finish what is in flight within the drain limit, then exit
  retire = 'x',   // a newer worker has taken over: finish what is in flight, however long it takes
  prepare = 'p',  // make the handlers of the set in the text, and answer
  commit = 'c',   // new requests take them
  abandon = 'a',  // destroy them
  help = 'h',     // accept from the socket that comes along, too
  help_over = 'o',
};

struct WorkerMessage {
  ControlMessage kind = ControlMessage::ready;
  std::uint64_t number = 0;  // of the change, or of the worker to be helped
  std::string text = {};
  UniqueFd fd = {};  // after receiving
};

// False when it cannot be sent: the other side is gone, does not read (errno is EAGAIN), or the message is too
// long. `fd` stays the caller's.
bool send_message(int socket, const WorkerMessage& message, int fd = -1);

enum class Heard { message, nothing, gone };
Heard receive_message(int socket, WorkerMessage& message);

}  // namespace sluice
