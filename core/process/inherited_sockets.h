// Listening sockets that a service manager has opened and passes to the server (sd_listen_fds(3)).
//
// The supervisor keeps them for its whole life, and gives copies to its listen groups. Settings that leave one
// out are refused, at the start and by a reload. Supervisor's thread.
#pragma once

#include <optional>
#include <string>
#include <vector>

#include "base/error.h"
#include "base/service_variables.h"
#include "base/unique_fd.h"
#include "process/handover.h"
#include "settings/listen_address.h"
#include "settings/serving_plan.h"

namespace sluice {

class InheritedSockets {
 public:
  // None.
  InheritedSockets() = default;
  // Takes those that were passed to this process. The error is a sentence about one that cannot be used.
  static Result<InheritedSockets> take(const ServiceVariables& variables);
  // Takes those that the former server was passed, and hands over.
  static Result<InheritedSockets> take_over(const Handover& handover);
  void hand_over(Handover& handover) const;
  // A warning if the variables pass sockets to another process, so that none is taken here.
  static std::optional<std::string> meant_for_other(const ServiceVariables& variables);

  // Fails if there is one at an address that the plan does not have: nobody would accept from it.
  Result<void> check_wanted(const ServingPlan& plan) const;
  bool has(const ListenAddress& address) const;
  // Copies of those at this address; none if nobody has passed one.
  Result<std::vector<UniqueFd>> at(const ListenAddress& address) const;
  // For a forked process.
  void close_for_child() { sockets_.clear(); }

 private:
  struct Socket {
    UniqueFd fd;
    std::string name;  // of LISTEN_FDNAMES: the unit's, unless the unit gives another; may be empty
    ListenAddress address;

    // For errors: "127.0.0.1:80 (sluice.socket)".
    std::string label() const;
    bool is_at(const ListenAddress& address) const;
  };
  static Result<Socket> take_one(int fd, std::string name);

  std::vector<Socket> sockets_;
};

}  // namespace sluice
