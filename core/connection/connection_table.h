// The connections of one worker, by index, and the sessions that they borrow. The table owns both.
//
// Loop thread.
#pragma once

#include <memory>
#include <vector>

#include "connection/connection.h"
#include "connection/connection_context.h"
#include "connection/http2_session.h"

namespace sluice {

class ConnectionTable final : public Resumer, private ConnectionOwner, private Timer {
 public:
  explicit ConnectionTable(const ConnectionContext& context);
  ~ConnectionTable();

  // Makes a connection of the socket, from this address, and starts it. REQUIRES: the socket is non-blocking.
  void accept(AcceptedSocket socket, const AddressContext& at);
  void resume(Ticket ticket, const ModuleInstance& from) override;
  // Who has the tickets that are of no connection. It lives longer.
  void pass_other_tickets_to(Resumer& other) { other_ = &other; }
  // Closes at most kIdleClosedMax connections that are between two requests. Returns whether there may be more.
  static constexpr unsigned kIdleClosedMax = 64;
  bool close_idle();
  // Asks at most kIdleClosedMax clients to go elsewhere. Returns whether there may be more that were not asked.
  bool ask_to_leave();
  // Closes the connection that has been idle for longest; false if none is idle.
  bool make_room();
  // Closes at most kIdleClosedMax waiting streams without a known end. Returns whether there may be more.
  bool end_streams();
  // Closes all connections at once.
  void close_all();
  std::size_t size() const { return open_; }
  const Connection* at(std::uint32_t index) const {
    return index < slots_.size() ? slots_[index].get() : nullptr;
  }

 private:
  static constexpr std::size_t kSpareMax = 256;
  void fired() override;
  std::unique_ptr<Session> take_session(bool http2) override;
  void give_session(std::unique_ptr<Session> session) override;
  std::uint32_t next_serial() override { return ++last_serial_ == 0 ? ++last_serial_ : last_serial_; }
  // The wait for `try_again` grows with each vain try in a row.
  void retry(std::uint32_t index) override;
  void handshake_failed(const Channel& channel, std::uint32_t index, std::uint32_t status,
                        std::string_view reason) override;
  void closed(std::uint32_t index) override;
  void add_slot();

  const ConnectionContext& context_;
  Http2Pool http2_;  // the sessions give their streams back to it until their end
  std::vector<std::unique_ptr<Connection>> slots_;
  std::vector<std::uint32_t> free_;
  std::vector<std::unique_ptr<Session>> spare_;
  Resumer* other_ = nullptr;
  std::size_t open_ = 0;
  std::size_t idle_from_ = 0;     // the slot where close_idle goes on
  std::size_t streams_from_ = 0;  // the slot where end_streams goes on
  std::size_t leaving_from_ = 0;  // the slot where ask_to_leave goes on
  std::uint32_t last_serial_ = 0;
  std::vector<std::uint32_t> starved_;
  TimerId retry_{};
  std::uint64_t retry_delay_ms_ = 0;
  std::uint64_t retried_ms_ = 0;
};

}  // namespace sluice
