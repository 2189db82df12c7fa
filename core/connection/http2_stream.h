// One stream of an HTTP/2 connection: a request and its answer, carried by frames (RFC 9113 section 5).
//
// nghttp2's events are recorded here while it reads, and take effect when the session lets the stream run.
// Loop thread. Owned by its session, otherwise by Http2Pool, for another stream.
#pragma once

#include <optional>
#include <string>
#include <string_view>

#include "connection/http2_content.h"
#include "connection/http2_sink.h"
#include "exchange/stream.h"
#include "http/http2_fields.h"
#include "http/http2_priority.h"

namespace sluice {

class Http2Stream final : public Reapable, private StreamCarrier, private DeadlineNode {
 public:
  explicit Http2Stream(const ConnectionContext& context) : stream_(context, *this) {}

  // Begins the stream of this number.
  void open(Http2Link& link, std::int32_t id);
  // Prepares it for another connection. REQUIRES: it is not at work.
  void close();
  std::int32_t id() const { return answer_.id(); }

  // What has come for it.
  Http2RequestFields& fields() { return fields_; }
  void head_has_come(bool ends, std::uint64_t arrived_ns);
  void content_has_come(std::string_view content);
  // The rest of the body, and trailers, have come.
  void end_has_come() { request_ended_ = true; }
  // Nobody takes what has come: its place in the connection's window is free again.
  void drop_content();
  bool has_head() const { return step_ != Step::waits_for_head; }
  // nghttp2 knows it no more, be it because it has ended or was reset.
  bool is_closed = false;
  // The same, behind both ends.
  bool is_whole() const { return is_closed && closed_in_order && request_ended_ && answer_.has_ended(); }
  bool closed_in_order = false;
  // It is in the session's queue of streams that can run.
  bool is_ready = false;
  // The session sets its deadline when the turn has ended.
  bool is_touched = false;
  // Its place among the session's streams.
  std::uint32_t index = 0;
  Http2Priority priority;

  // Goes on as far as it can.
  Stream::Outcome advance();
  Stream& stream() { return stream_; }
  const Stream& stream() const { return stream_; }
  Ticket ticket() const { return ticket_; }
  // Whether it waits for the client to open a window.
  bool waits_for_window() const { return window_shut_ && stream_.waiting_for() == WaitingFor::socket_room; }
  // Whether both windows are open now.
  bool has_window() const;
  // Whether only the connection's window keeps it waiting.
  bool waits_for_connection() const;
  // Whether it can run again, because it only waits for its turn or for the output.
  bool wants_turn() const;
  // Its deadline has passed.
  Stream::Outcome be_late(DeadlineKind kind);
  void settle(bool sends) { stream_.settle(sends && !waits_for_window(), std::exchange(received_, false)); }
  // Whether its head waits for room in the output, which the socket does not make for now.
  bool waits_for_room() const { return lacks_room_; }
  // Whether a part of its answer was sent.
  bool has_begun_answer() const {
    return !answer_.head_waits() && stream_.state() == StreamState::transmitting;
  }

 private:
  // A response that another one follows.
  bool send_interim(std::uint32_t status, std::string_view lines);
  enum class Step : std::uint8_t { waits_for_head, has_head, runs };

  // StreamCarrier
  Ticket exchange_ticket() override { return ticket_; }
  PeerAddress peer_address() override { return link_->channel().transport().peer_address(); }
  PeerFacts peer_facts() override { return link_->channel().transport().peer_facts(); }
  std::uint32_t find_site(std::string_view host, Refusal& refusal) const override {
    return link_->channel().find_site(host, refusal);
  }
  std::uint32_t site_of_connection() const override { return link_->channel().site_of_connection(); }
  std::optional<TlsFacts> tls_facts() const override { return link_->channel().transport().tls_facts(); }
  bool is_secure() const override { return link_->channel().transport().is_secure(); }
  bool may_redirect() const override { return !is_secure() && link_->channel().address().redirects; }
  bool fetch_body(RequestBody& body) override;
  bool send_continue() override;
  bool send_early_hints(std::string_view lines) override;
  Io begin_answer(ResponseHead& head, bool goes_on, BodyFraming& framing) override;
  AnswerSink& open_sink(BodyFraming& framing) override { return sink_.emplace(*link_, answer_, framing); }
  void close_sink() override;
  bool can_take_back_answer() const override { return answer_.head_waits(); }
  void take_back_answer() override;
  bool end_answer(bool request_taken) override;
  bool client_has_ended() const override { return link_->channel().client_has_ended(); }
  bool output_is_full() const override { return window_shut_ || output_full_; }
  bool share_is_used_up() const override { return link_->quantum() == 0 || link_->channel().budget() == 0; }
  void stream_is_late(DeadlineKind kind) override;

  void on_deadline(DeadlineKind kind) override;
  void begin_request();
  void become_tunnel();
  void use_content(std::size_t size);

  Http2Link* link_ = nullptr;
  Stream stream_;
  Http2RequestFields fields_;
  Http2Answer answer_;
  std::optional<Http2Sink> sink_;
  Http2Content content_;            // of the request's body that was not taken; at most the stream's window
  std::uint64_t content_size_ = 0;  // of all that came
  std::uint64_t seen_sent_ = 0;     // Http2Link::content_sent at the last look
  std::uint64_t arrived_ns_ = 0;
  Ticket ticket_{};
  Step step_ = Step::waits_for_head;
  bool tunnel_ = false;    // what comes takes no room in the connection's window
  bool has_body_ = false;  // something follows the head, or has followed it
  bool request_ended_ = false;
  bool received_ = false;  // something came since `settle`
  bool window_shut_ = false;
  bool output_full_ = false;
  bool lacks_room_ = false;
};

}  // namespace sluice
