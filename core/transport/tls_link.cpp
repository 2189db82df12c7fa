#include "transport/tls_link.h"

#include <fmt/core.h>
#include <new>
#include <utility>

namespace sluice {
namespace {

constexpr std::size_t kSmallRecord = 1300;  // fits a packet with all heads
constexpr std::uint64_t kSmallUntil = 64 * 1024;
constexpr std::uint64_t kIdleMs = 1'000;

}  // namespace

void HandshakeLog::note(const std::string& client, std::string_view name, std::string_view reason,
                        std::uint64_t now_ms) {
  if (!lines_.is_due(now_ms)) return;
  const std::string asked = name.empty() ? "" : fmt::format(" for '{}'", name);
  lines_.say(LogLevel::info, fmt::format("a TLS handshake with {}{} has failed: {}", client, asked, reason));
}

class TlsLink::Computation final : public Work {
 public:
  Computation(TlsLink& link, Ready& waiter)
      : loop_(link.services_.loop), link_(&link), waiter_(waiter), stream_(std::move(link.stream_)) {}
  void run() override { result_ = stream_->step(out_, true); }
  void done(bool ran) override {
    if (link_ == nullptr) return;
    link_->came_back(std::move(stream_), std::move(out_), ran ? result_ : TlsStream::Handshake::failed);
    loop_.make_ready(waiter_, CallLength::unproven);
  }
  void forget_link() { link_ = nullptr; }
  std::unique_ptr<TlsStream> take_back() { return std::move(stream_); }

 private:
  EventLoop& loop_;
  TlsLink* link_;
  Ready& waiter_;
  std::unique_ptr<TlsStream> stream_;
  std::string out_;
  TlsStream::Handshake result_ = TlsStream::Handshake::failed;
};

TlsLink::TlsLink(TlsServices& services, int socket)
    : services_(services), stream_(TlsStream::make(services.context, socket)) {
  if (stream_ == nullptr) throw std::bad_alloc();
}

TlsLink::~TlsLink() {
  if (work_ != nullptr) work_->forget_link();
}

TlsStream::Handshake TlsLink::step(std::string& out) {
  if (!result_) return stream_->step(out, false);
  out.append(std::exchange(computed_, {}));
  return *std::exchange(result_, std::nullopt);
}

bool TlsLink::compute(Ready& waiter) {
  auto made = std::make_unique<Computation>(*this, waiter);
  Computation* raw = made.get();
  std::unique_ptr<Work> work = std::move(made);
  if (services_.offload.submit(&services_, work)) {
    work_ = raw;
    return true;
  }
  stream_ = raw->take_back();
  return false;
}

void TlsLink::came_back(std::unique_ptr<TlsStream> stream, std::string out, TlsStream::Handshake result) {
  work_ = nullptr;
  stream_ = std::move(stream);
  computed_ = std::move(out);
  result_ = result;
}

void TlsLink::use(std::size_t size) {
  constexpr std::size_t kUsedMax = 64 * 1024;
  unsent_begin_ += size;
  if (unsent_begin_ == unsent_.size()) {
    std::string().swap(unsent_);
  } else if (unsent_begin_ >= kUsedMax) {
    unsent_.erase(0, unsent_begin_);
  } else {
    return;
  }
  unsent_begin_ = 0;
}

std::size_t TlsLink::record_size(std::uint64_t now_ms) {
  if (now_ms - std::exchange(sent_ms_, now_ms) > kIdleMs) burst_ = 0;
  return burst_ < kSmallUntil ? kSmallRecord : kRecordMax;
}

}  // namespace sluice
