// Server-sent events (HTML Living Standard, section 9.2): a channel, and those who listen to it.
//
//     kit::EventChannel news_{host};
//     void listen(kit::Call& call) { news_.subscribe(call.exchange()); }
//     void tell(kit::Call& call) { news_.publish("a line of news"); call.done(); }
//
// The channel keeps the last events, once for all clients, so a client costs no memory for those that it has
// not taken yet. One that connects again says the last event that it has seen, by Last-Event-ID, and gets those
// that followed. So that it can say one before it has got any, each stream begins with an id alone. One that
// has missed events which are not kept any more is told so by an event `missed`, whose data is their number, or
// "unknown"; or it is cut, and told when it comes again.
//
// A channel belongs to one handler of one worker: the clients of other workers do not hear what is published
// here. Close it in retire() and in leaving(), so that clients connect to the next generation and to the next
// worker, and before it is destroyed anywhere else. The loop's thread.
#pragma once

#include <sluice/handler.h>
#include <sluice/kit/request.h>

#include <cstddef>
#include <cstdint>
#include <deque>
#include <memory>
#include <optional>
#include <random>
#include <set>
#include <stdexcept>
#include <string>
#include <string_view>
#include <utility>

namespace sluice::kit {

struct EventLimits {
  std::size_t events_kept = 256;
  std::size_t bytes_kept = 256 * 1024;
  // Those beyond it get 503, which is final: event sources of browsers do not connect again after it.
  std::size_t clients_max = 10'000;
  // So often, all clients that wait for events get a comment. Shorter than --handler-timeout.
  std::uint64_t heartbeat_ms = 10'000;
  bool cuts_slow_clients = false;
};

namespace detail {

class EventStream;

// What a channel and its streams have in common. Whoever ends last destroys it.
// INVARIANT: events_ are those from first_ on, without a gap.
class EventLog final : public Timer {
 public:
  EventLog(Host& host, const EventLimits& limits) : host_(host), limits_(limits) {
    std::random_device random;
    name_ = std::to_string(random()) + std::to_string(random());
  }
  EventLog(const EventLog&) = delete;
  EventLog& operator=(const EventLog&) = delete;
  ~EventLog() { stop(); }

  const EventLimits& limits() const { return limits_; }
  bool is_closed() const { return is_closed_; }
  std::size_t clients() const { return streams_.size(); }
  std::uint64_t first() const { return first_; }
  std::uint64_t next() const { return first_ + events_.size(); }
  std::shared_ptr<const std::string> at(std::uint64_t number) const {
    return events_[static_cast<std::size_t>(number - first_)];
  }
  std::string id_line(std::uint64_t number) const {
    return "id: " + name_ + "-" + std::to_string(number) + "\n";
  }
  // The number in an id; nothing if this channel has not given it.
  std::optional<std::uint64_t> number_of(std::string_view id) const {
    if (take_until(id, '-') != name_) return std::nullopt;
    return number(id, next() - 1);
  }

  void keep(std::string event) {
    bytes_ += event.size();
    events_.push_back(std::make_shared<const std::string>(std::move(event)));
    while (events_.size() > limits_.events_kept || (bytes_ > limits_.bytes_kept && events_.size() > 1)) {
      bytes_ -= events_.front()->size();
      events_.pop_front();
      ++first_;
    }
    wake();
  }
  void close() {
    is_closed_ = true;
    wake();
  }
  // Without calling a client: the handler is being destroyed.
  void leave() {
    is_closed_ = true;
    stop();
  }
  void add(EventStream& stream) {
    streams_.insert(&stream);
    if (timer_.value == 0) start();
  }
  void remove(EventStream& stream) {
    streams_.erase(&stream);
    if (streams_.empty()) stop();
  }
  void resume(Ticket ticket) { host_.resume(ticket); }
  void fired() override;

 private:
  void wake();
  void start() {
    if (limits_.heartbeat_ms != 0 && !is_closed_) timer_ = host_.timer(limits_.heartbeat_ms, *this);
  }
  void stop() {
    if (timer_.value != 0) host_.cancel(std::exchange(timer_, {}));
  }

  Host& host_;
  const EventLimits limits_;
  std::string name_;  // in ids, so that those of other channels are not taken for its own
  std::deque<std::shared_ptr<const std::string>> events_;
  std::size_t bytes_ = 0;
  std::uint64_t first_ = 1;
  std::set<EventStream*> streams_;
  TimerId timer_;
  bool is_closed_ = false;
};

// What one client gets.
class EventStream final : public Body {
 public:
  // `last_id`: the last event that the client has seen; empty for none.
  EventStream(std::shared_ptr<EventLog> log, Ticket ticket, std::string_view last_id)
      : log_(std::move(log)), ticket_(ticket), next_(log_->next()) {
    if (!last_id.empty()) {
      const auto seen = log_->number_of(last_id);
      if (seen) {
        next_ = *seen + 1;
      } else {
        tell_missed("unknown");
      }
    }
    if (left_.empty()) tell(log_->id_line(next_ - 1) + "\n");  // clients keep the id, and show nothing
    log_->add(*this);
  }
  EventStream(const EventStream&) = delete;
  EventStream& operator=(const EventStream&) = delete;
  ~EventStream() override { log_->remove(*this); }

  Progress pump(Sink& sink) override {
    is_parked_ = false;
    for (;;) {
      if (left_.empty()) {
        if (next_ < log_->first()) {
          if (log_->limits().cuts_slow_clients && has_begun_) return Progress::failed;
          tell_missed(std::to_string(log_->first() - std::exchange(next_, log_->first())));
        } else if (next_ < log_->next()) {
          event_ = log_->at(next_++);
          left_ = *event_;
        } else if (log_->is_closed()) {
          return Progress::done;
        } else if (!std::exchange(is_beat_due_, false)) {
          has_begun_ = is_parked_ = true;
          return Progress::parked;
        } else {
          left_ = ":\n\n";
        }
      }
      const Bytes piece(left_);
      const Moved moved = sink.write(&piece, 1);
      left_.remove_prefix(static_cast<std::size_t>(moved.size));
      if (moved.status == Io::full) return Progress::more;
      if (moved.status != Io::ok) return Progress::failed;
    }
  }

  void wake() {
    if (std::exchange(is_parked_, false)) log_->resume(ticket_);
  }
  void beat() {
    if (!is_parked_) return;
    is_beat_due_ = true;
    wake();
  }

 private:
  void tell(std::string text) {
    event_ = std::make_shared<const std::string>(std::move(text));
    left_ = *event_;
  }
  void tell_missed(const std::string& count) {
    tell(log_->id_line(next_ - 1) + "event: missed\ndata: " + count + "\n\n");
  }

  const std::shared_ptr<EventLog> log_;
  const Ticket ticket_;
  std::uint64_t next_;                        // the event behind those that were given to it
  std::shared_ptr<const std::string> event_;  // has the bytes of left_
  std::string_view left_;                     // not taken yet
  bool has_begun_ = false;                    // it has caught up once
  bool is_parked_ = false;
  bool is_beat_due_ = false;
};

inline void EventLog::wake() {
  for (EventStream* stream : streams_) stream->wake();
}

inline void EventLog::fired() {
  timer_ = {};
  for (EventStream* stream : streams_) stream->beat();
  if (!streams_.empty()) start();
}

}  // namespace detail

class EventChannel {
 public:
  explicit EventChannel(Host& host, const EventLimits& limits = {})
      : log_(std::make_shared<detail::EventLog>(host, limits)) {}
  EventChannel(const EventChannel&) = delete;
  EventChannel& operator=(const EventChannel&) = delete;
  ~EventChannel() { log_->leave(); }

  // Answers with a stream of the events to come, and of those that the client has missed; with 503 if there are
  // too many clients. If the channel is closed, the stream is empty: browsers connect again.
  void subscribe(Exchange& exchange) {
    if (!log_->is_closed() && log_->clients() >= log_->limits().clients_max) return exchange.fail(503);
    exchange.field("Content-Type", "text/event-stream");
    exchange.field("Cache-Control", "no-cache");
    if (log_->is_closed()) return exchange.send("");
    const auto last_id = kit::field(exchange.request(), "last-event-id").value_or(std::string_view());
    exchange.stream(kUnknownSize, new detail::EventStream(log_, exchange.ticket(), last_id));
  }
  // Tells all clients. `event` is the type by which pages listen; without it, that is "message". Throws
  // std::invalid_argument if it has a line end.
  void publish(std::string_view data, std::string_view event = {}) {
    if (event.find_first_of("\r\n") != std::string_view::npos)
      throw std::invalid_argument("the name of an event has a line end");
    std::string text = log_->id_line(log_->next());
    if (!event.empty()) text.append("event: ").append(event).append("\n");
    for (bool has_more = true; has_more;) {
      const std::size_t end = data.find_first_of("\r\n");
      has_more = end != std::string_view::npos;
      text.append("data: ").append(data.substr(0, end)).append("\n");
      if (has_more) data.remove_prefix(end + (data.substr(end).starts_with("\r\n") ? 2 : 1));
    }
    log_->keep(text.append("\n"));
  }
  // Ends all streams when their clients have taken what there is, and begins no others.
  void close() { log_->close(); }
  std::size_t clients() const { return log_->clients(); }

 private:
  const std::shared_ptr<detail::EventLog> log_;
};

}  // namespace sluice::kit
