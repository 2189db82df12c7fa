// HTTP/2 over a connection's channel (RFC 9113). nghttp2 parses frames and compresses fields. What it reports
// is recorded; afterwards the streams run in turn, and all their frames leave in one write.
//
// Loop thread. It serves one connection, and is kept while that is idle.
//
// INVARIANT: no callback of nghttp2 calls a module.
#pragma once

#include <array>
#include <memory>
#include <optional>
#include <string_view>
#include <utility>
#include <vector>

#include "connection/http2_budget.h"
#include "connection/http2_schedule.h"
#include "connection/session.h"
#include "http/http2_frame_heads.h"

namespace sluice {

// What the HTTP/2 connections of a worker share, and streams for them to use. Loop thread; outlives them.
struct Http2Pool {
  explicit Http2Pool(const ConnectionContext& context) : common(context) {}

  std::unique_ptr<Http2Stream> take();
  void give(std::unique_ptr<Http2Stream> stream);

  static constexpr std::size_t kSpareMax = 256;
  Http2Common common;
  std::vector<std::unique_ptr<Http2Stream>> spare;
  std::uint64_t logged_ms = 0;  // when the log was told of a client that costs too much
};

class Http2Session final : public Session, private DeadlineNode {
 public:
  // How many streams a client may have open at once.
  static constexpr std::uint32_t kStreamsMax = 128;

  explicit Http2Session(Http2Pool& pool);
  ~Http2Session() override;

  void attach(Channel& channel, SessionHost& host) override;
  void reset() override;
  void begin_turn() override;
  Next advance() override;
  WaitingFor waiting_for() const override { return waiting_for_; }
  bool wake(Ticket ticket, const ModuleInstance& by) override;
  Next be_late(DeadlineKind kind) override;
  Next refuse_late_head() override;
  void refuse_plain_http(std::string) override {}
  Next close_endless() override;
  void cut(Ending ending) override;
  void settle(bool sends, bool received) override;
  bool is_between() const override { return working_ == 0; }
  bool has_served() const override { return served_; }
  bool only_takes_turns() const override { return true; }
  bool is_reusable() const override { return false; }
  bool rest() override;
  bool is_resting() const override { return resting_; }
  void say_goodbye() override;
  bool ask_to_leave() override;

 private:
  friend struct Http2Callbacks;
  // What nghttp2 calls, and its options; the same for all connections. Its user data is the session.
  static const nghttp2_session_callbacks* callbacks();
  static const nghttp2_option* options();
  nghttp2_session* make_nghttp2();
  // The content of a PING whose answer tells that the client has seen what came before it.
  static constexpr std::uint8_t kLeavingPing[8] = {'s', 'l', 'u', 'i', 'c', 'e', 0, 1};
  struct Free {
    void operator()(nghttp2_session* session) const { nghttp2_session_del(session); }
  };

  void on_deadline(DeadlineKind kind) override;
  Next wait_for(WaitingFor what);
  void start();
  // Nothing: all streams wait. Otherwise what the connection does next.
  std::optional<Next> run_streams();
  std::optional<Next> run(Http2Stream& stream, bool waits);
  std::optional<Next> take_outcome(Http2Stream& stream, Stream::Outcome outcome);
  std::optional<Next> receive_frames();
  std::optional<Next> read_frames();
  Next wait_for_client();
  bool lacks_room() const;
  Next end_connection(Ending ending = Ending::closed);
  bool is_over() const;

  // What nghttp2 reports.
  Http2Stream* stream_of(std::int32_t id) const;
  Http2Stream* open_stream(std::int32_t id);
  bool is_full();
  void keep_calls_of(Http2Stream& stream);
  void head_has_come(bool ends);
  void make_ready(Http2Stream& stream);
  void touch(Http2Stream& stream) {
    if (!std::exchange(stream.is_touched, true)) touched_.push_back(&stream);
  }
  void prioritise(std::int32_t id, std::string_view text);
  void count(Http2Cost cost);
  // `used`: what nghttp2 has said of them.
  void count_frames(std::string_view bytes, ssize_t used);
  // Errors that nghttp2 passes over.
  void judge_stream(std::int32_t id);
  bool was_broken_off(std::int32_t id) const;
  void note_break_off(std::int32_t id);
  void fail(std::uint32_t error);
  std::int64_t widest_window() const;

  void let_see_window();
  Io flush_frames();
  void look_at_closed();
  void look_at_windows();
  void break_off_costly();
  void finish_shutdown();
  void recycle(Http2Stream& stream);

  const ConnectionContext& context_;
  Http2Pool& pool_;
  Http2Link link_;
  std::unique_ptr<nghttp2_session, Free> nghttp2_;
  std::vector<std::unique_ptr<Http2Stream>> streams_;
  std::vector<std::shared_ptr<RequestCalls>> calls_behind_;  // they go on, and their streams have ended
  std::vector<Http2Stream*> touched_;  // those whose deadlines may have changed in this turn
  Http2Schedule schedule_;
  Http2FrameHeads heads_;
  Http2Budget budget_;
  Http2Stream* heading_ = nullptr;  // the stream whose fields come
  // Priorities that came before their streams (RFC 9218 section 7.1).
  struct Early {
    std::int32_t id = 0;
    Http2Priority priority;
  };
  static constexpr std::size_t kEarlyMax = 16;
  std::vector<Early> early_;
  std::optional<Http2Cost> costly_;  // what there was too much of
  // The last streams that this side has reset: all that were open at once, and those that came after them.
  std::array<std::int32_t, 2 * kStreamsMax> broken_off_{};
  std::size_t break_offs_ = 0;
  std::int32_t newest_ = 0;  // the highest number of a stream
  std::size_t working_ = 0;  // streams whose head has come
  WaitingFor waiting_for_ = WaitingFor::nothing;
  std::int64_t widest_window_ = 0;        // of the streams, before SETTINGS that come
  std::int64_t initial_window_ = 65'535;  // of streams, as the client has set it
  std::size_t block_size_ = 0;            // of the list of fields that comes
  bool windows_changed_ = false;
  bool any_shut_ = false;      // a stream may wait for a window
  bool sent_ = false;          // at the last `settle`, output waited for the client
  bool client_ended_ = false;  // and the client had sent its last byte
  bool stalled_ = false;       // a body had room and wrote nothing: it is called again in the next turn
  bool has_read_ = false;      // in this turn
  bool served_ = false;
  bool resting_ = false;
  bool asked_to_leave_ = false;  // the first step of the end: the client was asked to open no more streams
  bool heard_ = false;           // it has answered, or did not in time
  bool leaving_ = false;         // the second step: it was told which stream was the last one
};

}  // namespace sluice
