// The supervisor's end of its control socket: takes one line from each client, runs the command of that name,
// and sends the answer, whose first line is "ok" or "error SENTENCE", until it closes.
//
// Supervisor's thread. Only root and the user of the server are heard. Everything waits in one epoll instance,
// so that its owner has one descriptor to poll; clients, their number, sizes and times are bounded.
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

namespace sluice {

// A client that waits for its answer; it may be gone meanwhile.
using ControlTicket = std::uint64_t;
// What the client prints, or the sentence why not.
using ControlAnswer = Result<std::string>;

struct ControlCommand {
  std::string_view name;  // one or more words; what follows them is the argument
  // Empty when the answer is given later, by ControlServer::answer.
  std::function<std::optional<ControlAnswer>(ControlTicket ticket, const std::string& argument)> run;
};

// How long a client may take.
struct ControlTimes {
  std::uint32_t transfer_ms = 10'000;  // to send the line, and to take the answer
  std::uint32_t command_ms = 120'000;  // for the command; longer than what it may wait for
  std::uint32_t tick_ms = 1'000;       // how often that is looked at
};

class ControlServer {
 public:
  static constexpr std::size_t kClientsMax = 16;
  static constexpr std::size_t kLineMax = 1024;

  static Result<std::unique_ptr<ControlServer>> open(const std::string& path,
                                                     std::vector<ControlCommand> commands,
                                                     ControlTimes times = {});
  // Removes the socket, unless another has taken its place; who waits is disconnected.
  ~ControlServer();
  ControlServer(const ControlServer&) = delete;
  ControlServer& operator=(const ControlServer&) = delete;

  const std::string& path() const { return path_; }
  // Readable when there is something to do for `serve`, which never blocks.
  int fd() const { return epoll_.get(); }
  void serve();
  void answer(ControlTicket ticket, const ControlAnswer& answer);
  // In a forked child: gives up the descriptors, and the socket stays the parent's.
  void close_for_child();

 private:
  struct Client {
    ControlTicket ticket = 0;
    UniqueFd socket;
    std::string line;
    std::string answer;  // empty until there is one
    std::size_t sent = 0;
    std::uint64_t until_ms = 0;
  };
  ControlServer(std::vector<ControlCommand> commands, ControlTimes times)
      : commands_(std::move(commands)), times_(times) {}

  Result<void> listen(const std::string& path);
  Result<void> watch();
  void accept_all();
  void expire();
  void want_clients(bool wanted);
  void tick_every(std::uint32_t interval_ms);
  void on_client(Client& client, std::uint32_t events);
  bool receive(Client& client);
  void run(Client& client);
  void send(Client& client);
  Client* find(ControlTicket ticket);
  void drop(ControlTicket ticket);

  std::vector<ControlCommand> commands_;
  ControlTimes times_;
  std::string path_;
  dev_t device_ = 0;  // with inode_, the socket's file
  ino_t inode_ = 0;
  UniqueFd listener_;
  UniqueFd epoll_;
  UniqueFd tick_;
  std::vector<Client> clients_;
  ControlTicket next_ticket_ = 0;
};

}  // namespace sluice
