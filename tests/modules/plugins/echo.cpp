// Sends a request's body back while it arrives, with a bounded queue between the two.
#include <sluice/module.h>

#include <algorithm>
#include <memory>
#include <string>

namespace {

constexpr std::size_t kQueueMax = 64 * 1024;

// Shared by the reader and the body, which end in any order.
struct Queue {
  std::string bytes;
  std::size_t taken = 0;  // from the front of bytes
  bool ended = false;
  bool broken = false;  // the request's body was cut off
  bool paused = false;  // the reader waits for room
  bool parked = false;  // the body waits for bytes

  std::size_t size() const { return bytes.size() - taken; }
};

class EchoReader : public sluice::Reader {
 public:
  EchoReader(sluice::Host& host, sluice::Ticket ticket, std::shared_ptr<Queue> queue)
      : host_(host), ticket_(ticket), queue_(std::move(queue)) {}
  ~EchoReader() override {
    if (queue_->ended) return;
    queue_->broken = true;  // the answer must not wait for ever
    wake();
  }
  std::uint64_t take(sluice::Bytes piece) override {
    const std::size_t room = kQueueMax - std::min(kQueueMax, queue_->size());
    const std::size_t taken = std::min(room, piece.size);
    queue_->bytes.append(piece.data, taken);
    queue_->paused = taken < piece.size;
    wake();
    return taken;
  }
  void end() override {
    queue_->ended = true;
    wake();
  }

 private:
  void wake() {
    if (!queue_->parked) return;
    queue_->parked = false;
    host_.resume(ticket_);
  }
  sluice::Host& host_;
  sluice::Ticket ticket_;
  std::shared_ptr<Queue> queue_;
};

class EchoBody : public sluice::Body {
 public:
  EchoBody(sluice::Host& host, sluice::Ticket ticket, std::shared_ptr<Queue> queue)
      : host_(host), ticket_(ticket), queue_(std::move(queue)) {}
  sluice::Progress pump(sluice::Sink& sink) override {
    Queue& queue = *queue_;
    if (queue.size() > 0) {
      const sluice::Bytes piece(queue.bytes.data() + queue.taken, queue.size());
      const sluice::Moved moved = sink.write(&piece, 1);
      if (moved.status == sluice::Io::lost) return sluice::Progress::failed;
      queue.taken += moved.size;
      if (queue.taken == queue.bytes.size()) {
        queue.bytes.clear();
        queue.taken = 0;
      }
      if (moved.size > 0 && queue.paused) {
        queue.paused = false;
        host_.resume(ticket_);
      }
      if (queue.size() > 0) return sluice::Progress::more;
    }
    if (queue.ended) return sluice::Progress::done;
    if (queue.broken) return sluice::Progress::failed;
    queue.parked = true;
    return sluice::Progress::parked;
  }

 private:
  sluice::Host& host_;
  sluice::Ticket ticket_;
  std::shared_ptr<Queue> queue_;
};

class Echo : public sluice::Handler {
 public:
  explicit Echo(sluice::Host& host) : host_(host) {}
  void handle(sluice::Exchange& exchange) override {
    const auto queue = std::make_shared<Queue>();
    const sluice::Ticket ticket = exchange.ticket();
    exchange.field("Content-Type", "application/octet-stream");
    exchange.receive(new EchoReader(host_, ticket, queue));
    exchange.stream(exchange.request().body_size, new EchoBody(host_, ticket, queue));
  }

 private:
  sluice::Host& host_;
};

}  // namespace

SLUICE_MODULE(Echo, .name = "echo", .version = "1.0.0", .summary = "Sends the request's body back",
              .default_mount = "/echo/");
