// Asks other HTTP servers, by libcurl, without a thread and without blocking:
//
//     class Weather : public kit::Service {
//       kit::Flow get(kit::Call& call) {
//         const kit::FetchRequest request("https://weather.example/today");
//         const kit::FetchAnswer answer = co_await client_.fetch(call, request);
//         call.send(answer.status, answer.field("Content-Type"), answer.content);
//       }
//       kit::FetchClient client_;   // made from the Host
//     };
//
// An answer is held in memory, up to a bound. If the request for which it is fetched ends before, the fetch is
// cancelled. What fails is thrown by the co_await: a Refuse with 504 if it took too long, and 502 otherwise.
//
// It is no part of <sluice/kit.h>, since a module that includes it has to be linked with libcurl (-lcurl, on
// Debian libcurl4-openssl-dev). The loop's thread.
#pragma once

#include <curl/curl.h>
#include <sluice/handler.h>
#include <sluice/kit/call.h>

#include <coroutine>
#include <cstdint>
#include <map>
#include <memory>
#include <stdexcept>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

namespace sluice::kit {

struct FetchLimits {
  std::uint64_t content_max = 1024 * 1024;  // of an answer; more is a failure
  std::uint64_t time_ms = 10'000;           // for all of it
  std::uint64_t connect_ms = 3'000;
  std::uint64_t redirects_max = 0;     // that are followed
  std::uint64_t connections_max = 64;  // at once, of this client; others wait. Idle ones are kept
};

class FetchRequest {
 public:
  // http or https. Nothing in it is encoded: path_encoded of request.h does that.
  explicit FetchRequest(std::string url, std::string method = "GET")
      : url_(std::move(url)), method_(std::move(method)) {
    if (!detail::is_token(method_)) throw std::invalid_argument("a method is a token");
  }
  // Adds a field. Throws std::invalid_argument if it is none.
  FetchRequest& field(std::string_view name, std::string_view value) {
    if (!detail::is_token(name) || value.find_first_of(std::string_view("\r\n\0", 3)) != std::string_view::npos)
      throw std::invalid_argument("a field has a token for its name, and one line for its value");
    // curl would take "Name:" for a wish to have no such field.
    fields_.push_back(std::string(name).append(value.empty() ? ";" : ": ").append(value));
    return *this;
  }
  FetchRequest& content(std::string type, std::string content) {
    field("Content-Type", type);
    content_ = std::move(content);
    has_content_ = true;
    return *this;
  }

 private:
  friend class Fetch;
  std::string url_;
  std::string method_;
  std::vector<std::string> fields_;
  std::string content_;
  bool has_content_ = false;
};

struct FetchAnswer {
  std::uint32_t status = 0;
  std::vector<std::pair<std::string, std::string>> fields;
  std::string content;

  // The value of the first field of that name; empty without one.
  std::string field(std::string_view name) const {
    for (const auto& [known, value] : fields) {
      if (detail::same_letters(known, name)) return value;
    }
    return {};
  }
};

class Fetch;

// The connections of one handler, or of a Shared, to other servers. It lives longer than what it fetches.
class FetchClient : private Timer {
 public:
  explicit FetchClient(Host& host, const FetchLimits& limits = {}) : host_(host), limits_(limits) {
    if (curl_global_init(CURL_GLOBAL_DEFAULT) != CURLE_OK) throw std::runtime_error("libcurl cannot be used");
    multi_ = curl_multi_init();
    if (multi_ == nullptr) {
      curl_global_cleanup();
      throw std::bad_alloc();
    }
    const auto connections_max = static_cast<long>(limits.connections_max);
    curl_multi_setopt(multi_, CURLMOPT_SOCKETFUNCTION, &FetchClient::on_socket);
    curl_multi_setopt(multi_, CURLMOPT_SOCKETDATA, this);
    curl_multi_setopt(multi_, CURLMOPT_TIMERFUNCTION, &FetchClient::on_timer);
    curl_multi_setopt(multi_, CURLMOPT_TIMERDATA, this);
    curl_multi_setopt(multi_, CURLMOPT_MAX_TOTAL_CONNECTIONS, connections_max);
    curl_multi_setopt(multi_, CURLMOPT_MAXCONNECTS, connections_max);
  }
  FetchClient(const FetchClient&) = delete;
  FetchClient& operator=(const FetchClient&) = delete;
  ~FetchClient() {
    is_closing_ = true;
    curl_multi_cleanup(multi_);
    if (timer_.value != 0) host_.cancel(timer_);
    curl_global_cleanup();
  }

  // For co_await, which gives the FetchAnswer, whatever its status is.
  [[nodiscard]] Fetch fetch(Call& call, const FetchRequest& request);

 private:
  friend class Fetch;
  // As epoll_ctl(2) numbers them.
  static constexpr std::uint32_t kReadable = 1;
  static constexpr std::uint32_t kWritable = 4;
  static constexpr std::uint32_t kFailed = 8 | 16;

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

   private:
    FetchClient& client_;
    const int fd_;
  };

  static int on_socket(CURL*, curl_socket_t fd, int wanted, void* self, void*) {
    return static_cast<FetchClient*>(self)->watch(fd, wanted);
  }
  int watch(int fd, int wanted) {
    const auto found = sockets_.find(fd);
    if (found != sockets_.end()) {
      host_.unwatch(fd);
      ended_.push_back(std::move(found->second));  // it may be the caller
      sockets_.erase(found);
    }
    if (wanted == CURL_POLL_REMOVE || is_closing_) return 0;
    const std::uint32_t events =
        ((wanted & CURL_POLL_IN) != 0 ? kReadable : 0) | ((wanted & CURL_POLL_OUT) != 0 ? kWritable : 0);
    auto socket = std::make_unique<Socket>(*this, fd);
    if (!host_.watch(fd, events, *socket)) return -1;
    sockets_[fd] = std::move(socket);
    return 0;
  }
  static int on_timer(CURLM*, long ms, void* self) {
    static_cast<FetchClient*>(self)->set_timer(ms);
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
    curl_multi_socket_action(multi_, fd, changes, &running);
    tell_ended();
    ended_.clear();
  }
  void tell_ended();

  Host& host_;
  const FetchLimits limits_;
  CURLM* multi_ = nullptr;
  TimerId timer_;
  std::map<int, std::unique_ptr<Socket>> sockets_;
  std::vector<std::unique_ptr<Socket>> ended_;  // until nothing of them is called
  bool is_closing_ = false;
};

// One request on its way: a variable of the Flow that waits for it.
class Fetch {
 public:
  Fetch(detail::Run& run, FetchClient& client, const FetchRequest& request)
      : run_(run), client_(client), request_(request) {}
  Fetch(const Fetch&) = delete;
  Fetch& operator=(const Fetch&) = delete;
  ~Fetch() {
    if (easy_ != nullptr) {
      curl_multi_remove_handle(client_.multi_, easy_);
      curl_easy_cleanup(easy_);
    }
    curl_slist_free_all(lines_);
  }

  bool await_ready() {
    easy_ = curl_easy_init();
    if (easy_ == nullptr) throw std::bad_alloc();
    prepare();
    if (curl_multi_add_handle(client_.multi_, easy_) != CURLM_OK)
      throw Refuse{502, "The other server cannot be asked"};
    return false;
  }
  void await_suspend(std::coroutine_handle<>) noexcept {}
  FetchAnswer await_resume() {
    if (result_ == CURLE_OPERATION_TIMEDOUT) throw Refuse{504, "The other server did not answer in time"};
    if (is_too_long_) throw Refuse{502, "The other server's answer is too long"};
    if (result_ != CURLE_OK)
      throw Refuse{502, std::string("The other server cannot be asked: ") + curl_easy_strerror(result_)};
    long status = 0;
    curl_easy_getinfo(easy_, CURLINFO_RESPONSE_CODE, &status);
    answer_.status = static_cast<std::uint32_t>(status);
    return std::move(answer_);
  }

 private:
  friend class FetchClient;

  template <typename Value>
  void set(CURLoption option, Value value) {
    if (curl_easy_setopt(easy_, option, value) != CURLE_OK)
      throw Refuse{502, "The other server cannot be asked"};
  }
  void prepare() {
    const FetchLimits& limits = client_.limits_;
    set(CURLOPT_PRIVATE, static_cast<void*>(this));
    set(CURLOPT_NOSIGNAL, 1L);
    set(CURLOPT_QUICK_EXIT, 1L);  // else its end waits for the thread that looks a name up
    set(CURLOPT_PROTOCOLS_STR, "http,https");
    set(CURLOPT_REDIR_PROTOCOLS_STR, "http,https");
    set(CURLOPT_PROXY, "");  // the environment's is not meant for this
    set(CURLOPT_URL, request_.url_.c_str());
    set(CURLOPT_TIMEOUT_MS, static_cast<long>(limits.time_ms));
    set(CURLOPT_CONNECTTIMEOUT_MS, static_cast<long>(limits.connect_ms));
    set(CURLOPT_FOLLOWLOCATION, limits.redirects_max > 0 ? 1L : 0L);
    set(CURLOPT_MAXREDIRS, static_cast<long>(limits.redirects_max));
    set(CURLOPT_WRITEFUNCTION, &Fetch::on_content);
    set(CURLOPT_WRITEDATA, static_cast<void*>(this));
    set(CURLOPT_HEADERFUNCTION, &Fetch::on_line);
    set(CURLOPT_HEADERDATA, static_cast<void*>(this));
    if (request_.has_content_) {
      set(CURLOPT_POSTFIELDS, request_.content_.data());
      set(CURLOPT_POSTFIELDSIZE_LARGE, static_cast<curl_off_t>(request_.content_.size()));
    }
    if (request_.method_ == "HEAD") {
      set(CURLOPT_NOBODY, 1L);
    } else {
      set(CURLOPT_CUSTOMREQUEST, request_.method_.c_str());
    }
    add_line("Expect:");  // nobody waits for 100
    for (const std::string& field : request_.fields_) add_line(field.c_str());
    set(CURLOPT_HTTPHEADER, lines_);
  }
  void add_line(const char* line) {
    curl_slist* const longer = curl_slist_append(lines_, line);
    if (longer == nullptr) throw std::bad_alloc();
    lines_ = longer;
  }

  static std::size_t on_content(char* data, std::size_t, std::size_t size, void* self) {
    Fetch& fetch = *static_cast<Fetch*>(self);
    if (size > fetch.client_.limits_.content_max - fetch.answer_.content.size()) {
      fetch.is_too_long_ = true;
      return 0;
    }
    fetch.answer_.content.append(data, size);
    return size;
  }
  static std::size_t on_line(char* data, std::size_t, std::size_t size, void* self) {
    Fetch& fetch = *static_cast<Fetch*>(self);
    std::string_view line(data, size);
    if (line.starts_with("HTTP/")) {  // of the last answer, which no redirect or 100 is
      fetch.answer_ = {};
      return size;
    }
    const std::string_view name = detail::take_until(line, ':');
    if (detail::is_token(name) && fetch.answer_.fields.size() < kFieldsMax)
      fetch.answer_.fields.emplace_back(name, without_end(detail::trimmed(line)));
    return size;
  }
  static std::string_view without_end(std::string_view line) {
    while (line.ends_with('\r') || line.ends_with('\n') || line.ends_with(' ')) line.remove_suffix(1);
    return line;
  }
  void ended(CURLcode result) {
    result_ = result;
    run_.wake();
  }

  static constexpr std::size_t kFieldsMax = 256;

  detail::Run& run_;
  FetchClient& client_;
  const FetchRequest request_;
  CURL* easy_ = nullptr;
  curl_slist* lines_ = nullptr;
  CURLcode result_ = CURLE_OK;
  bool is_too_long_ = false;
  FetchAnswer answer_;
};

inline Fetch FetchClient::fetch(Call& call, const FetchRequest& request) {
  return call.wait_for<Fetch>(*this, request);
}

inline void FetchClient::tell_ended() {
  int left = 0;
  while (CURLMsg* const message = curl_multi_info_read(multi_, &left)) {
    if (message->msg != CURLMSG_DONE) continue;
    void* fetch = nullptr;
    curl_easy_getinfo(message->easy_handle, CURLINFO_PRIVATE, &fetch);
    static_cast<Fetch*>(fetch)->ended(message->data.result);
  }
}

}  // namespace sluice::kit
