// What a server hands over to the program that takes its place: listening sockets, which stay open, and the
// keys of session tickets. The program inherits descriptors, and a text in memory says what they are.
//
// The two processes then talk through `channel`, one byte a message: kReady from the new one, when all its
// workers could serve, and kServe from the old one, which accepts no more from then on. Supervisor's thread.
#pragma once

#include <sys/types.h>

#include <optional>
#include <string>
#include <vector>

#include "base/error.h"
#include "base/unique_fd.h"

namespace sluice {

struct HandedSocket {
  int fd = -1;             // stays the owner's
  std::string text;        // its address as it is written in the settings; of a passed socket its name
  bool is_passed = false;  // a service manager has passed it to the server (InheritedSockets)
};

struct Handover {
  static constexpr char kReady = 'R';
  static constexpr char kServe = 'S';

  std::vector<HandedSocket> sockets;
  std::string ticket_keys;  // as TicketKeys packs them; empty for none
  UniqueFd channel;         // of the new process
  pid_t from = -1;          // the process that hands over

  // The variable of the environment that leads there. It begins with no letter, so that it is no setting.
  static constexpr const char* kVariable = "_SLUICE_HANDOVER";

  // For the forked process that becomes the new program: lets it inherit all descriptors, and sets the
  // variable. False with errno set if the system refuses.
  bool pass_on() const;
  void wipe_keys();
  // For a forked process: closes the sockets that were not passed, and the channel.
  void close_for_child();
  // What this process was started with; nothing if it takes no place. The sockets' descriptors become the
  // caller's. Takes the variable out of the environment. REQUIRES: one thread.
  static Result<std::optional<Handover>> take();
};

}  // namespace sluice
