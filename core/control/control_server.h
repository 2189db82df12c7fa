// The supervisor's end of its control socket. Reads one line from each client, runs the command that it names,
// sends the answer and closes. The answer's first line is "ok" or "error SENTENCE".
//
// Supervisor's thread; never blocks. Only root and the server's user may connect. The number of clients, their
// sizes and times are bounded.
#pragma once

#include <sys/types.h>

#include <cstdint>
#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "base/error.h"
#include "base/unique_fd.h"
#include "loop/alarm.h"
#include "loop/registration.h"

namespace sluice {

// Names a client that waits for its answer. The client may have gone meanwhile.
using ControlTicket = std::uint64_t;
// The text that the client prints, or an error.
using ControlAnswer = Result<std::string>;

struct ControlCommand {
  std::string_view name;  // one or more words; the argument follows them
  // nullopt if ControlServer::answer gives the answer later.
  std::function<std::optional<ControlAnswer>(ControlTicket ticket, const std::string& argument)> run;
  bool has_limit = true;  // that of ControlTimes::command_ms
};

// How long a client may take.
struct ControlTimes {
  std::uint32_t transfer_ms = 10'000;  // for the client to send its line, and to take the answer
  std::uint32_t command_ms = 120'000;  // for the command; longer than any takes that has this limit
  std::uint32_t retry_ms = 1'000;      // from a lack of descriptors until clients are accepted again
};

class ControlServer final : private Pollable {
 public:
  static constexpr std::size_t kClientsMax = 16;
  static constexpr std::size_t kLineMax = 16 * 1024;

  // `loop` lives longer.
  static Result<std::unique_ptr<ControlServer>> open(EventLoop& loop, const std::string& path,
                                                     std::vector<ControlCommand> commands,
                                                     ControlTimes times = {});
  // Removes the socket, unless another file has taken its place, and disconnects all clients.
  ~ControlServer();
  ControlServer(const ControlServer&) = delete;
  ControlServer& operator=(const ControlServer&) = delete;

  const std::string& path() const { return path_; }
  void answer(ControlTicket ticket, const ControlAnswer& answer);
  // Nobody can connect any more, and another server may take the path. Clients that wait still get their
  // answers.
  void end_listening();
  // For a forked child: closes the descriptors, and leaves the socket to the parent.
  void close_for_child();

 private:
  class Client;
  ControlServer(EventLoop& loop, std::vector<ControlCommand> commands, ControlTimes times);

  Result<void> listen(const std::string& path);
  void unlink_own();
  void on_events(std::uint32_t events) override;
  void on_client(Client& client, std::uint32_t events);
  bool receive(Client& client);
  void run(Client& client);
  void send(Client& client);
  Client* find(ControlTicket ticket);
  void drop(ControlTicket ticket);

  EventLoop& loop_;
  std::vector<ControlCommand> commands_;
  ControlTimes times_;
  std::string path_;
  dev_t device_ = 0;  // identifies the socket's file, with inode_
  ino_t inode_ = 0;
  UniqueFd listener_;
  Registration wanted_;  // of the listener
  Alarm retry_;
  std::vector<std::unique_ptr<Client>> clients_;
  ControlTicket last_ticket_ = 0;
};

}  // namespace sluice
