// The messages between a supervisor and its workers, one a packet of a socket pair (SOCK_SEQPACKET). A
// message may carry a descriptor. Neither side waits for the other. Any thread.
#pragma once

#include <cstdint>
#include <string>

#include "base/unique_fd.h"

namespace sluice {

enum class ControlMessage : char {
  // From a worker:
  ready = 'r',      // it can serve
  prepared = 'P',   // the change of that number can be committed
  refused = 'R',    // it cannot; the text gives the reason
  ask = 'q',        // the text is a question of its modules about the server
  explained = 'E',  // the answer to `explain` of that number is what the descriptor holds
  // To a worker:
  accept = 'y',   // begin to accept connections
  leave = 'l',    // go on, but keep no connection: clients should go elsewhere
  stop = 's',     // finish the requests under way within the drain limit, then exit
  retire = 'x',   // a newer worker has taken over: finish the requests under way, without a limit
  prepare = 'p',  // make the handlers of the set in the text, and answer
  commit = 'c',   // new requests go to these handlers
  abandon = 'a',  // destroy these handlers
  help = 'h',     // also accept from the socket that the message carries; its text is the index of its address
  help_over = 'o',
  explain = 'e',  // the text is a request; say what it comes to, and why (ExplainQuery)
  told = 't',  // the answer to the question of that number is what the descriptor holds; without one, nothing
};

struct WorkerMessage {
  ControlMessage kind = ControlMessage::ready;
  std::uint64_t number = 0;  // of the change, of the question, or of the socket in the held worker
  std::string text = {};
  UniqueFd fd = {};  // when received
};

// False when it cannot be sent: the other side is gone, does not read (errno is EAGAIN), or the message is
// too long. `fd` stays the caller's.
bool send_message(int socket, const WorkerMessage& message, int fd = -1);

// From now on nobody can send a descriptor to the socket. Where the kernel lacks that (before Linux 6.16), the
// receiver closes what comes by close_unwanted.
void refuse_descriptors(int socket);
// Closes it at once: close(2) of a socket may wait for its data to be sent, if its sender wants so (SO_LINGER).
void close_unwanted(UniqueFd fd);

enum class Heard { message, nothing, gone };
Heard receive_message(int socket, WorkerMessage& message);

}  // namespace sluice
