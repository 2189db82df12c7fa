// Clients and modules that do anything, in any order, over HTTP/1 and HTTP/2: each answer is the one to its
// request, whole or cut off; what modules have made is destroyed once; and a connection that stays open has
// answered all.
//
// The input is a byte for the kind of client, and then steps, which take the bytes that they need: requests
// whose modules follow a plan, their bodies, pieces of them, resumes, time, errors of the kernel, and what a
// worker does to its connections. Bytes that are no request at all are among them; what follows is not checked
// then.
#include <sys/socket.h>

#include <cerrno>
#include <cstddef>
#include <cstdint>
#include <cstdio>
#include <iterator>
#include <memory>
#include <string>
#include <string_view>
#include <utility>

#include "numbered_clients.h"
#include "served.h"
#include "support/failing_calls.h"
#include "support/numbered.h"

using namespace sluice;
using fuzz::expect;
using fuzz::Served;
using fuzz::Steps;

namespace {

test::NumberedAccount account;

Served& serve() {
  auto* served = new Served;
  char address[32];
  std::snprintf(address, sizeof(address), "%p", static_cast<void*>(&account));
  served->mount("numbered", {{"account", address}});
  return *served;
}

class Client {
 public:
  Client(Served& served, unsigned how) : served_(served) {
    if ((how & 1U) != 0) side_ = std::make_unique<fuzz::Http2Side>(how);
    if ((how & 1U) == 0) side_ = std::make_unique<fuzz::Http1Side>();
    int ends[2];
    expect(::socketpair(AF_UNIX, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0, ends) == 0,
           "there is a socket");
    socket_.reset(ends[0]);
    const int least = 1;  // the kernel makes it what it allows at least
    if ((how & 8U) != 0) ::setsockopt(ends[1], SOL_SOCKET, SO_SNDBUF, &least, sizeof(least));
    served.table.accept(UniqueFd(ends[1]), served.site.address);
  }

  void step(Steps& steps) {
    constexpr int kErrors[] = {EINTR, ENOBUFS, ENOMEM, EPIPE, ECONNRESET};
    switch (steps.byte() % 16) {
      case 0:
      case 1:
        return ask(steps);
      case 2:
        return side_->send_body(steps.byte() * 16U);
      case 3:
        return send(1U + steps.byte());
      case 4:
      case 5:
        return send(side_->unsent.size());
      case 6:
        return hear();
      case 7:
        served_.loop->turn(0);
        return;
      case 8:
        return resume(steps.byte());
      case 9:
        disturbed_ = true;
        return served_.let_time_pass(steps.byte());
      case 10:
        error_ = kErrors[steps.byte() % std::size(kErrors)];
        disturbed_ = true;
        return;
      case 11:
        disturbed_ = true;
        return end_sending(steps.byte());
      case 12:
        disturbed_ = true;
        return treat(steps.byte());
      case 13:
        return side_->do_otherwise(steps);
      default:
        send(side_->unsent.size());
        return hear();
    }
  }
  // The client sends all that it owes, reads all, and everybody is resumed. Then it leaves.
  void end() {
    error_ = 0;
    side_->finish();
    for (int i = 0, quiet = 0; quiet < 3 && i < 10'000; ++i) {
      const std::size_t before = heard_ + sent_;
      send(side_->unsent.size());
      while (!account.waiting.empty()) resume(0);
      hear();
      quiet = heard_ + sent_ == before && account.waiting.empty() ? quiet + 1 : 0;
    }
    const bool calm = !disturbed_ && !may_hang_ && !side_->raw && !side_->may_hang && side_->unsent.empty();
    if (calm && is_open_) expect(side_->all_answered(), "a connection that stays open has answered all");
    if (calm && side_->all_answered())
      expect(account.made == account.destroyed, "nothing of a module outlives its exchange");
    side_->end(sent_);
    socket_.reset();
    // What waits for its module does not see that the client has left.
    for (int i = 0; i < 50 && served_.table.size() > 0; ++i) {
      served_.loop->turn(0);
      served_.let_time_pass(61);
    }
    served_.expect_end();
    served_.loop->turn(0);
    expect(account.made == account.destroyed, "what modules have made is destroyed once");
    account.waiting.clear();
  }
  int next_error() { return std::exchange(error_, 0); }

 private:
  void ask(Steps& steps) {
    constexpr unsigned kAsksMax = 100;  // which HTTP/2 allows at once
    if (asks_ == kAsksMax) return;
    const fuzz::Wish wish = fuzz::a_wish(steps, ++asks_);
    may_hang_ = may_hang_ || wish.may_hang;
    side_->ask(wish);
  }
  void send(std::size_t size) {
    const std::string_view bytes = std::string_view(side_->unsent).substr(0, size);
    const ssize_t sent = ::send(socket_.get(), bytes.data(), bytes.size(), MSG_NOSIGNAL);
    if (sent <= 0) return;
    side_->unsent.erase(0, static_cast<std::size_t>(sent));
    sent_ += static_cast<std::size_t>(sent);
  }
  void hear() {
    served_.loop->turn(0);
    for (;;) {
      char bytes[16 * 1024];
      const ssize_t got = ::recv(socket_.get(), bytes, sizeof(bytes), MSG_DONTWAIT);
      is_open_ = got > 0 || (got < 0 && errno == EAGAIN);
      if (got <= 0) return;
      heard_ += static_cast<std::size_t>(got);
      side_->take(std::string_view(bytes, static_cast<std::size_t>(got)), sent_);
    }
  }
  void resume(unsigned which) {
    auto& waiting = account.waiting;
    // A ticket that nobody has, or of one that has ended, wakes nobody.
    if (waiting.empty())
      return served_.table.resume(Ticket{which}, *served_.router.find(0, "/numbered/").instance);
    const auto at = waiting.begin() + which % static_cast<std::ptrdiff_t>(waiting.size());
    const Ticket ticket = *at;
    waiting.erase(at);
    served_.table.resume(ticket, *served_.router.find(0, "/numbered/").instance);
  }
  void end_sending(unsigned how) {
    if (how % 4 == 0) ::shutdown(socket_.get(), SHUT_WR);
  }
  // What a worker does to its connections.
  void treat(unsigned how) {
    switch (how % 4) {
      case 0:
        served_.table.end_streams();
        return;
      case 1:
        served_.table.close_idle();
        return;
      case 2:
        served_.table.make_room();
        return;
      default:
        served_.table.ask_to_leave();
        return;
    }
  }

  Served& served_;
  UniqueFd socket_;
  std::unique_ptr<fuzz::Side> side_;
  unsigned asks_ = 0;
  std::size_t sent_ = 0;
  std::size_t heard_ = 0;
  int error_ = 0;
  bool is_open_ = true;
  bool disturbed_ = false;  // something may close the connection, or keep an answer from coming
  bool may_hang_ = false;
};

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  static Served& served = serve();
  Steps steps(data, size);
  Client client(served, steps.byte());
  {
    const test::FailingCalls failing([&client] { return client.next_error(); });
    while (!steps.done()) client.step(steps);
    client.end();
  }
  return 0;
}
