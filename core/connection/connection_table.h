// The connections of one worker, by index, and the sessions that they borrow.
//
// Loop thread. Owns both.
#pragma once

#include <memory>
#include <vector>

#include "connection/connection.h"
#include "connection/connection_context.h"

namespace sluice {

class ConnectionTable final : public Resumer, private ConnectionOwner, private Timer {
 public:
  explicit ConnectionTable(const ConnectionContext& context);
  ~ConnectionTable();

  // Takes the socket and starts. REQUIRES: the socket is non-blocking.
  void accept(UniqueFd socket);
  void resume(Ticket ticket, const ModuleInstance& from) override;
  // Closes so many at most of those that are between two requests; whether there may be more.
  static constexpr unsigned kIdleClosedMax = 64;
  bool close_idle();
  // Closes the connection that has been without a request for longest, at once; false when none is.
  bool make_room();
  // Closes so many at most of the streams without a known end that wait; whether there may be more.
  bool end_streams();
  // Ends all of them at once.
  void close_all();
  std::size_t size() const { return open_; }
  const Connection* at(std::uint32_t index) const {
    return index < slots_.size() ? slots_[index].get() : nullptr;
  }

 private:
  static constexpr std::size_t kSpareMax = 256;
  void fired() override;
  std::unique_ptr<Session> take_session() override;
  void give_session(std::unique_ptr<Session> session) override;
  std::uint32_t next_serial() override { return ++last_serial_ == 0 ? ++last_serial_ : last_serial_; }
  // In a while; in a longer one, when many tries in a row were in vain.
  void retry(std::uint32_t index) override;
  void closed(std::uint32_t index) override;
  void add_slot();

  const ConnectionContext& context_;
  std::vector<std::unique_ptr<Connection>> slots_;
  std::vector<std::uint32_t> free_;
  std::vector<std::unique_ptr<Session>> spare_;
  std::size_t open_ = 0;
  std::size_t idle_from_ = 0;     // where the search for idle ones goes on
  std::size_t streams_from_ = 0;  // the same for streams
  std::uint32_t last_serial_ = 0;
  std::vector<std::uint32_t> starved_;
  TimerId retry_{};
  std::uint64_t retry_delay_ms_ = 0;
  std::uint64_t retried_ms_ = 0;
};

}  // namespace sluice
