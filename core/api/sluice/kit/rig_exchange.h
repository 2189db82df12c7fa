// A request and its answer for rig.h.
#pragma once

#include <sluice/handler.h>
#include <sluice/kit/request.h>
#include <sluice/kit/rig_host.h>

#include <cstdint>
#include <deque>
#include <iterator>
#include <map>
#include <memory>
#include <stdexcept>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

namespace sluice::kit {

struct RigRequest {
  std::string method = "GET";
  std::string target = {};  // below the mount: "items/7?all"
  std::vector<std::pair<std::string, std::string>> fields = {};
  std::vector<std::string> pieces = {};  // of the content, as they come
  bool has_size = true;                  // else it comes in chunks
  std::map<std::string, std::string> notes = {};
  std::string client = "192.0.2.1:49152";
};

struct RigAnswer {
  std::uint32_t status = 0;
  std::vector<std::pair<std::string, std::string>> fields;
  std::string content;
  bool complete = false;    // false: its body has failed, or has not the declared size
  std::string handed_over;  // the target of Exchange::hand_over

  // The value of the first field of that name; empty without one.
  std::string field(std::string_view name) const {
    for (const auto& [known, value] : fields) {
      if (detail::same_letters(known, name)) return value;
    }
    return {};
  }
};

namespace detail {

class RigExchange final : public Exchange, private Sink {
 public:
  RigExchange(RigLoop& loop, Handler& handler, const RigRequest& plan, std::string mount)
      : loop_(loop), handler_(handler), ticket_(loop.next_ticket()), plan_(plan), mount_(std::move(mount)) {
    const std::size_t path_size = plan_.target.find('?');
    path_ = plan_.target.substr(0, path_size);
    if (path_size != std::string::npos) query_ = plan_.target.substr(path_size + 1);
    path_ = decoded(path_);
    target_ = mount_ + plan_.target;
    for (const auto& [name, value] : plan_.fields) fields_.push_back({name, value, id_of(name), 0});
    request_.method = method_of(plan_.method);
    request_.field_count = static_cast<std::uint32_t>(fields_.size());
    request_.fields = fields_.data();
    request_.method_name = plan_.method;
    request_.target = target_;
    request_.path = path_;
    request_.mount = mount_;
    request_.query = query_;
    for (const std::string& piece : plan_.pieces) request_.body_size += piece.size();
    if (!plan_.has_size) request_.body_size = kUnknownSize;
    request_.authority = "example.org";
    request_.scheme = "http";
    pieces_.assign(plan_.pieces.begin(), plan_.pieces.end());
  }

  RigAnswer run() {
    loop_.begin_request();
    handler_.handle(*this);
    if (!answered_ && task_ == nullptr) throw std::logic_error("the handler has neither answered nor deferred");
    while (!over_) step();
    if (wants_end_) {
      Outcome outcome;
      outcome.status = answer_.status;
      outcome.sent = answer_.content.size();
      outcome.ending = answer_.complete ? Ending::complete : Ending::cut;
      handler_.ended(*this, outcome);
    }
    return std::move(answer_);
  }

  const Request& request() const override { return request_; }
  Bytes client_address() override { return plan_.client; }
  void status(std::uint32_t code) override { answer_.status = code; }
  bool field(Bytes name, Bytes value) override {
    const bool is_valid =
        is_token(name) && std::string_view(value).find_first_of({"\r\n\0", 3}) == std::string_view::npos;
    if (is_valid) answer_.fields.emplace_back(std::string_view(name), std::string_view(value));
    return is_valid;
  }
  void fields(const FieldBlock& block) override {
    for (const auto& line : reinterpret_cast<const RigBlock&>(block).lines) answer_.fields.push_back(line);
  }
  void send(Bytes content) override {
    answer();
    answer_.content = std::string_view(content);
    answer_.complete = true;
    over_ = true;
  }
  void send_held(Bytes content, Holder& holder) override {
    send(content);
    holder.release();
  }
  void stream(std::uint64_t size, Body* body) override {
    body_.reset(body);
    answer();
    size_ = size;
  }
  void fail(std::uint32_t code) override {
    answer_.status = code;
    send("");
  }
  void defer(Task* task) override {
    task_.reset(task);
    if (answered_) throw std::logic_error("the handler has deferred what it had answered");
  }
  void receive(Reader* reader) override { reader_.reset(reader); }
  Ticket ticket() override { return ticket_; }
  bool prefers(Bytes type, Bytes usual) const override {
    const std::string accept(kit::field(request_, FieldId::accept).value_or(""));
    return accept.find(std::string_view(type)) != std::string::npos &&
           accept.find(std::string_view(usual)) == std::string::npos;
  }
  void pass() override { throw std::logic_error("a handler cannot let a request pass"); }
  void hand_over(Bytes target) override {
    answer_.handed_over = std::string_view(target);
    send("");
  }
  bool note(Bytes name, Bytes value) override {
    plan_.notes[std::string(std::string_view(name))] = std::string_view(value);
    return true;
  }
  Bytes noted(Bytes name) const override {
    const auto found = plan_.notes.find(std::string(std::string_view(name)));
    return found == plan_.notes.end() ? Bytes() : Bytes(found->second);
  }
  bool early_hints(const FieldBlock&) override { return true; }
  const Peer& peer() override { return peer_; }
  void tell_end() override { wants_end_ = true; }
  bool offers_upgrade(Bytes) const override { return false; }
  bool upgrade(Bytes, Reader* reader, Body* body) override {
    delete reader;
    delete body;
    return false;
  }
  bool is_explained() const override { return false; }
  void explain(Bytes) override {}

 private:
  static constexpr std::uint64_t kRoom = 4096;  // of one pump, so that bodies meet a full sink

  std::uint64_t room() const override { return room_; }
  Moved write(const Bytes* pieces, std::uint32_t count) override {
    Moved moved;
    for (std::uint32_t i = 0; i < count; ++i) {
      const std::string_view taken = std::string_view(pieces[i]).substr(0, room_);
      answer_.content += taken;
      room_ -= taken.size();
      moved.size += taken.size();
      if (taken.size() < pieces[i].size) moved.status = Io::full;
      if (moved.status == Io::full) break;
    }
    return moved;
  }
  Moved send_file(int, std::uint64_t, std::uint64_t) override { return {0, Io::unsupported, 0}; }
  bool trailer(Bytes name, Bytes) override { return size_ == kUnknownSize && is_token(name); }

  void answer() {
    if (answered_) throw std::logic_error("the handler has answered twice");
    answered_ = true;
    if (answer_.status == 0) answer_.status = 200;
  }

  // Calls what can go on, or lets the loop turn.
  void step() {
    if (loop_.take_resumed(ticket_)) {
      is_paused_ = false;
      is_parked_ = false;
      if (!answered_ && task_ != nullptr) task_->resumed(*this);
      return;
    }
    if (reader_ != nullptr && !is_paused_) return feed();
    if (body_ != nullptr && !is_parked_) return pump();
    if (!loop_.turn()) throw std::logic_error("the handler waits for nothing, and has not answered");
  }
  void feed() {
    if (pieces_.empty()) {
      reader_->end();
      reader_.reset();
      return;
    }
    std::string& piece = pieces_.front();
    const std::uint64_t taken = reader_->take(piece);
    if (taken > piece.size()) throw std::logic_error("the handler's reader has taken more than there was");
    is_paused_ = taken < piece.size();
    piece.erase(0, taken);
    if (piece.empty()) pieces_.pop_front();
  }
  void pump() {
    room_ = kRoom;
    const Progress progress = body_->pump(*this);
    is_parked_ = progress == Progress::parked;
    if (progress != Progress::done && progress != Progress::failed) return;
    answer_.complete = progress == Progress::done && (size_ == kUnknownSize || size_ == answer_.content.size());
    over_ = true;
  }

  // form_decoded makes blanks of '+', which are none in a path.
  static std::string decoded(std::string_view path) {
    std::string escaped;
    for (const char byte : path) escaped += byte == '+' ? std::string("%2B") : std::string(1, byte);
    const auto text = form_decoded(escaped);
    if (!text) throw std::runtime_error("the target of the request is not well formed");
    return *text;
  }
  static Method method_of(std::string_view name) {
    constexpr std::string_view kNames[] = {"",      "GET",    "HEAD",    "POST",  "PUT",
                                           "PATCH", "DELETE", "OPTIONS", "TRACE", "CONNECT"};
    for (std::size_t i = 1; i < std::size(kNames); ++i) {
      if (kNames[i] == name) return static_cast<Method>(i);
    }
    return Method::other;
  }
  // In the order of FieldId.
  static FieldId id_of(std::string_view name) {
    constexpr std::string_view kNames[] = {"",
                                           "host",
                                           "connection",
                                           "content-length",
                                           "transfer-encoding",
                                           "content-type",
                                           "expect",
                                           "te",
                                           "upgrade",
                                           "accept",
                                           "accept-encoding",
                                           "accept-language",
                                           "authorization",
                                           "cookie",
                                           "if-match",
                                           "if-none-match",
                                           "if-modified-since",
                                           "if-unmodified-since",
                                           "if-range",
                                           "range",
                                           "referer",
                                           "user-agent"};
    static_assert(std::size(kNames) == static_cast<std::size_t>(FieldId::user_agent) + 1);
    for (std::size_t i = 1; i < std::size(kNames); ++i) {
      if (same_letters(kNames[i], name)) return static_cast<FieldId>(i);
    }
    return FieldId::other;
  }

  RigLoop& loop_;
  Handler& handler_;
  const Ticket ticket_;
  RigRequest plan_;
  const std::string mount_;
  std::string path_;
  std::string query_;
  std::string target_;
  std::vector<Field> fields_;
  Request request_;
  Peer peer_;
  std::deque<std::string> pieces_;
  RigAnswer answer_;
  std::uint64_t size_ = 0;
  std::uint64_t room_ = 0;
  bool answered_ = false;
  bool over_ = false;
  bool wants_end_ = false;
  bool is_paused_ = false;
  bool is_parked_ = false;
  std::unique_ptr<Reader> reader_;
  std::unique_ptr<Body> body_;
  std::unique_ptr<Task> task_;
};

}  // namespace detail
}  // namespace sluice::kit
