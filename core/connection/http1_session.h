// HTTP/1 over a connection's channel (RFC 9112). Finds one request after another in the received bytes, frames
// their bodies and answers, and decides whether the connection is kept. One stream serves all requests, one by
// one.
//
// Loop thread.
#pragma once

#include <optional>
#include <string_view>

#include "connection/body_sink.h"
#include "connection/connection_context.h"
#include "connection/session.h"
#include "exchange/stream.h"
#include "http/request_parser.h"

namespace sluice {

class Http1Session final : public Session, private StreamCarrier {
 public:
  explicit Http1Session(const ConnectionContext& context);

  void attach(Channel& channel, SessionHost& host) override;
  void reset() override;
  void begin_turn() override { requests_left_ = kTurnRequestsMax; }
  Next advance() override;
  WaitingFor waiting_for() const override { return waiting_for_; }
  bool wake(Ticket ticket, const ModuleInstance& by) override;
  Next be_late(DeadlineKind kind) override { return come_to(stream_.be_late(kind)); }
  Next refuse_late_head() override;
  void refuse_plain_http(std::string said) override;
  Next close_endless() override;
  void cut(Ending ending) override;
  void settle(bool sends, bool received) override { stream_.settle(sends, received); }
  bool is_between() const override { return !stream_.is_at_work(); }
  bool has_served() const override { return served_; }
  bool only_takes_turns() const override { return !stream_.is_stalled() && !stream_.drains_body(); }

 private:
  // How many requests of one connection are answered in one turn, so that a pipeline of small requests is fair.
  static constexpr std::uint16_t kTurnRequestsMax = 64;

  // StreamCarrier
  Ticket exchange_ticket() override { return ticket_; }
  std::uint32_t find_site(std::string_view host, Refusal& refusal) const override {
    return channel_->find_site(host, refusal);
  }
  bool may_redirect() const override { return !is_secure() && channel_->address().redirects; }
  std::uint32_t site_of_connection() const override { return channel_->site_of_connection(); }
  std::optional<TlsFacts> tls_facts() const override { return channel_->transport().tls_facts(); }
  bool is_secure() const override { return channel_->transport().is_secure(); }
  PeerAddress peer_address() override { return channel_->transport().peer_address(); }
  PeerFacts peer_facts() override { return channel_->transport().peer_facts(); }
  bool fetch_body(RequestBody& body) override;
  bool send_continue() override;
  bool send_early_hints(std::string_view lines) override;
  Io begin_answer(ResponseHead& head, bool goes_on, BodyFraming& framing) override;
  AnswerSink& open_sink(BodyFraming& framing) override;
  bool can_take_back_answer() const override { return !output_.has_sent(head_position_); }
  void take_back_answer() override { output_.take_back(head_position_); }
  bool end_answer(bool request_taken) override;
  bool client_has_ended() const override { return channel_->client_has_ended(); }
  void close_sink() override;
  bool output_is_full() const override { return !channel_->output_ready(); }
  bool share_is_used_up() const override { return channel_->budget() == 0; }
  void stream_is_late(DeadlineKind kind) override { host_->stream_is_late(kind); }

  // Reads until a whole head has come, and then returns nullopt. Otherwise returns what the connection does
  // next.
  std::optional<Next> parse();
  // `bytes`: of the head, as far as it has come.
  void refuse(std::string_view bytes, std::uint64_t arrived_ns, const Refusal& refusal);
  // Tells of a request whose head has not come whole.
  void note_cut_head(Ending ending);
  bool begins_http2() const;
  void take_request();
  void next_request();
  Next wait_for(WaitingFor what);
  Next come_to(Stream::Outcome outcome);
  void offer_body(RequestBody& body);
  bool parse_body(RequestBody& body);  // false: more bytes are needed

  const ConnectionContext& context_;
  Channel* channel_ = nullptr;
  SessionHost* host_ = nullptr;
  RequestParser parser_;
  RequestHead refused_;
  std::string plain_;  // what was said in clear text in place of TLS
  Stream stream_;
  std::optional<BodySink> sink_;
  std::string_view piece_;           // content of the request's body in the input that was not taken yet
  Ticket ticket_{};                  // of the request at work
  std::uint64_t head_position_ = 0;  // of the answer's head in the output
  std::uint16_t requests_left_ = 0;  // in this turn
  WaitingFor waiting_for_ = WaitingFor::nothing;
  bool body_framed_ = false;  // the end of the request's body was found
  bool keep_ = false;         // the connection is kept after this answer
  bool upgraded_ = false;     // the connection is a tunnel
  bool served_ = false;
  bool may_be_http2_ = false;  // no request has come, and HTTP/2 is allowed in clear text
};

}  // namespace sluice
