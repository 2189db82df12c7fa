// Accepts connections from a listening socket that the supervisor has made.
#pragma once

#include <cstdint>

#include "base/error.h"
#include "base/peer_address.h"
#include "base/unique_fd.h"
#include "loop/event_loop.h"
#include "transport/shortage.h"

namespace sluice {

// Accepts from one socket in a worker's loop and hands over what it accepts. Loop thread.
class Listener final : private Pollable, private Timer {
 public:
  class Acceptor {
   public:
    // `address`: what the listener was made with.
    virtual void on_accept(AcceptedSocket socket, std::uint32_t address) = 0;
    // Whether one more connection may be open now.
    virtual bool can_accept() const = 0;
    // Closes an idle connection in favour of one that waits; false if none is idle. `why` there is no room: an
    // errno of accept(2), or Shortage::kAllOpen. `again`: the last call failed, too.
    virtual bool make_room(int why, bool again) = 0;

   protected:
    ~Acceptor() = default;
  };

  Listener(EventLoop& loop, Acceptor& acceptor, UniqueFd socket, std::uint32_t address = 0);
  ~Listener();
  Listener(const Listener&) = delete;
  Listener& operator=(const Listener&) = delete;

  Result<void> start();
  // Accepts the connections that wait, at most kAcceptsMax a turn, and then closes this process' descriptor.
  // While there is no room for them, it tries again for a while, because closing would reset them.
  static constexpr int kAcceptsMax = 64;
  void finish();
  bool finished() const { return !socket_; }

 private:
  void on_events(std::uint32_t events) override;
  void fired() override;
  enum class Attempt : std::uint8_t { taken, none_waits, no_room };
  Attempt accept_one();
  Attempt try_accept();
  bool make_room(int why);
  bool has_waiting() const;
  void accept_last();
  void pause();
  void give_up_socket();

  EventLoop& loop_;
  Acceptor& acceptor_;
  UniqueFd socket_;
  const std::uint32_t address_;
  EventLoop::Token token_ = EventLoop::kNoToken;
  TimerId resume_{};
  int no_room_error_ = 0;    // the errno with which accept_one found no room
  bool held_up_ = false;     // no room could be made, and no connection was accepted since
  int last_turns_left_ = 0;  // turns in which finish() may still accept
};

}  // namespace sluice
