// The connections by which fetch.h asks: libcurl's multi interface on the worker's loop. The loop's thread.
#pragma once

#include <curl/curl.h>
#include <sluice/handler.h>
#include <sluice/kit/call.h>
#include <sluice/kit/fetch_request.h>

#include <cstdint>
#include <exception>
#include <map>
#include <new>
#include <set>
#include <stdexcept>
#include <string>
#include <utility>

namespace sluice::kit {

class Fetch;

// The connections of one handler, or of a Shared, to other servers. It lives longer than what it fetches.
//
// Callbacks of libcurl throw nothing, and never return -1: libcurl would give up all fetches.
class FetchClient : private Timer {
 public:
  explicit FetchClient(Host& host, const FetchLimits& limits = {}) : host_(host), limits_(limits) {
    if (::curl_global_init(CURL_GLOBAL_DEFAULT) != CURLE_OK)
      throw std::runtime_error(
          "libcurl cannot begin: reinstall it with its TLS library (on Debian libcurl4 and libssl3), and start "
          "the server again");
    multi_ = ::curl_multi_init();
    if (multi_ == nullptr) {
      ::curl_global_cleanup();
      throw std::bad_alloc();
    }
    const auto connections_max = static_cast<long>(limits.connections_max);
    ::curl_multi_setopt(multi_, CURLMOPT_SOCKETFUNCTION, &FetchClient::on_socket);
    ::curl_multi_setopt(multi_, CURLMOPT_SOCKETDATA, this);
    ::curl_multi_setopt(multi_, CURLMOPT_TIMERFUNCTION, &FetchClient::on_timer);
    ::curl_multi_setopt(multi_, CURLMOPT_TIMERDATA, this);
    ::curl_multi_setopt(multi_, CURLMOPT_MAX_TOTAL_CONNECTIONS, connections_max);
    ::curl_multi_setopt(multi_, CURLMOPT_MAXCONNECTS, connections_max);
  }
  FetchClient(const FetchClient&) = delete;
  FetchClient& operator=(const FetchClient&) = delete;
  ~FetchClient() {
    is_closing_ = true;
    ::curl_multi_cleanup(multi_);
    if (timer_.value != 0) host_.cancel(timer_);
    ::curl_global_cleanup();
  }

  // For co_await, which gives the FetchAnswer, whatever its status is.
  [[nodiscard]] Fetch fetch(Call& call, const FetchRequest& request);

 private:
  friend class Fetch;
  // As epoll_ctl(2) numbers them.
  static constexpr std::uint32_t kReadable = 1;
  static constexpr std::uint32_t kWritable = 4;
  static constexpr std::uint32_t kFailed = 8 | 16;
  static constexpr std::uint64_t kKnownMs = 30'000;
  static constexpr std::size_t kNamesMax = 1'000;

  class Socket final : public Watcher {
   public:
    Socket(FetchClient& client, int fd) : client_(client), fd_(fd) {}
    // May destroy this.
    void ready(std::uint32_t events) override {
      int changes = 0;
      if ((events & kReadable) != 0) changes |= CURL_CSELECT_IN;
      if ((events & kWritable) != 0) changes |= CURL_CSELECT_OUT;
      if ((events & kFailed) != 0) changes |= CURL_CSELECT_ERR;
      client_.go_on(fd_, changes);
    }
    bool watch(std::uint32_t events) {
      stop();
      is_watched_ = client_.host_.watch(fd_, events, *this);
      return is_watched_;
    }
    void stop() {
      if (std::exchange(is_watched_, false)) client_.host_.unwatch(fd_);
    }
    bool is_watched() const { return is_watched_; }

   private:
    FetchClient& client_;
    const int fd_;
    bool is_watched_ = false;
  };

  static int on_socket(CURL* easy, curl_socket_t fd, int wanted, void* self, void*) noexcept {
    FetchClient& client = *static_cast<FetchClient*>(self);
    bool is_watched = false;
    try {
      is_watched = client.watch(fd, wanted);
    } catch (const std::exception&) {  // this fetch fails, and no other
    }
    if (!is_watched) client.fail(easy);
    return 0;
  }
  bool watch(int fd, int wanted) {
    if (wanted == CURL_POLL_REMOVE || is_closing_) {
      const auto found = sockets_.find(fd);
      if (found != sockets_.end()) found->second.stop();  // it may be the caller: go_on destroys it
      return true;
    }
    const std::uint32_t events =
        ((wanted & CURL_POLL_IN) != 0 ? kReadable : 0) | ((wanted & CURL_POLL_OUT) != 0 ? kWritable : 0);
    return sockets_.try_emplace(fd, *this, fd).first->second.watch(events);
  }
  void fail(CURL* easy);
  static int on_timer(CURLM*, long ms, void* self) noexcept {
    try {
      static_cast<FetchClient*>(self)->set_timer(ms);
    } catch (const std::exception&) {  // each fetch has a timer of its own, which ends it
    }
    return 0;
  }
  void set_timer(long ms) {
    if (timer_.value != 0) host_.cancel(std::exchange(timer_, {}));
    if (ms >= 0 && !is_closing_) timer_ = host_.timer(static_cast<std::uint64_t>(ms), *this);
  }
  void fired() override {
    timer_ = {};
    go_on(CURL_SOCKET_TIMEOUT, 0);
  }
  void go_on(curl_socket_t fd, int changes) {
    int running = 0;
    ::curl_multi_socket_action(multi_, fd, changes, &running);
    tell_ended();
    std::erase_if(sockets_, [](const auto& socket) { return !socket.second.is_watched(); });
  }
  void tell_ended();

  // Names of which the addresses are known.
  struct Known {
    std::string addresses;
    std::uint64_t until_ms = 0;
  };
  const std::string* addresses_of(const std::string& host) const {
    const auto known = names_.find(host);
    return known == names_.end() || known->second.until_ms < host_.now_ms() ? nullptr
                                                                            : &known->second.addresses;
  }
  void learn(const std::string& host, const std::string& addresses) {
    if (names_.size() >= kNamesMax) names_.clear();
    names_.insert_or_assign(host, Known{addresses, host_.now_ms() + kKnownMs});
  }

  Host& host_;
  const FetchLimits limits_;
  CURLM* multi_ = nullptr;
  TimerId timer_;
  std::map<int, Socket> sockets_;
  std::map<std::string, Known> names_;
  std::set<Fetch*> fetches_;
  bool has_failed_ = false;  // one of them, in a callback
  bool is_closing_ = false;
};

}  // namespace sluice::kit
