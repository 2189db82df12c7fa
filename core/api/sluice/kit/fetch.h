// Asks other HTTP servers, by libcurl, without a thread of its own and without blocking:
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
// Names of hosts are resolved on an offload thread, and known for half a minute; never by libcurl, whose
// time-outs may wait for a name server. 503 if there is no thread. Redirects are followed here: 303, and 301 or
// 302 of POST, become GET without content; from https only to https; and fields other than those of content
// go along only to the same origin.
//
// It is no part of <sluice/kit.h>, since a module that includes it has to be linked with libcurl (-lcurl, on
// Debian libcurl4-openssl-dev). The loop's thread.
#pragma once

#include <curl/curl.h>
#include <sluice/handler.h>
#include <sluice/kit/call.h>
#include <sluice/kit/fetch_client.h>
#include <sluice/kit/fetch_request.h>

#include <coroutine>
#include <cstdint>
#include <exception>
#include <memory>
#include <new>
#include <string>
#include <string_view>
#include <utility>

namespace sluice::kit {

// One request on its way: a variable of the Flow that waits for it.
class Fetch : private Timer {
 public:
  Fetch(detail::Run& run, FetchClient& client, const FetchRequest& request)
      : run_(run), client_(client), request_(request), target_(request.url_) {}
  Fetch(const Fetch&) = delete;
  Fetch& operator=(const Fetch&) = delete;
  ~Fetch() {
    if (lookup_ != nullptr) lookup_->waiting = nullptr;
    if (timer_.value != 0) client_.host_.cancel(timer_);
    drop();
    client_.fetches_.erase(this);
  }

  bool await_ready() {
    client_.fetches_.insert(this);
    timer_ = client_.host_.timer(client_.limits_.time_ms, *this);
    find_and_ask();
    return false;
  }
  void await_suspend(std::coroutine_handle<>) noexcept {}
  FetchAnswer await_resume() {
    if (thrown_ != nullptr) std::rethrow_exception(thrown_);
    return std::move(answer_);
  }

 private:
  friend class FetchClient;

  // Belongs to the fetch and to the work, of which either may end first.
  struct Lookup {
    Fetch* waiting;  // null when it has ended
    std::string host;
    std::string addresses;
  };
  class LookupWork final : public Work {
   public:
    explicit LookupWork(std::shared_ptr<Lookup> lookup) : lookup_(std::move(lookup)) {}
    void run() override { lookup_->addresses = detail::addresses_of(lookup_->host); }
    void done(bool ran) override {
      if (Fetch* const fetch = std::exchange(lookup_->waiting, nullptr)) fetch->found(ran, *lookup_);
    }

   private:
    const std::shared_ptr<Lookup> lookup_;
  };

  void find_and_ask() {
    if (target_.is_address()) return ask("");
    if (const std::string* addresses = client_.addresses_of(target_.host())) return ask(*addresses);
    lookup_ = std::make_shared<Lookup>(Lookup{this, target_.host(), {}});
    auto work = std::make_unique<LookupWork>(lookup_);
    if (!client_.host_.offload(work.get())) throw Refuse{503, "The server is busy: try again later"};
    static_cast<void>(work.release());  // it is the server's now
  }
  void found(bool ran, const Lookup& lookup) {
    or_end([&] {
      if (!ran) throw Refuse{503, "The server is busy: try again later"};
      if (lookup.addresses.empty())
        throw Refuse{502, "The other server cannot be asked: its name has no address"};
      client_.learn(lookup.host, lookup.addresses);
      ask(lookup.addresses);
    });
  }

  template <typename Value>
  void set(CURLoption option, Value value) {
    if (::curl_easy_setopt(easy_, option, value) != CURLE_OK)
      throw Refuse{502, "The other server cannot be asked"};
  }
  // `addresses` are of a name.
  void ask(const std::string& addresses) {
    answer_ = {};
    received_ = 0;
    easy_ = ::curl_easy_init();
    names_ = ::curl_share_init();
    if (easy_ == nullptr || names_ == nullptr) throw std::bad_alloc();
    if (!addresses.empty()) {
      // A cache of its own: libcurl finds in it this name and no other.
      ::curl_share_setopt(names_, CURLSHOPT_SHARE, CURL_LOCK_DATA_DNS);
      set(CURLOPT_SHARE, names_);
      add(resolved_, target_.host() + ":" + target_.port() + ":" + addresses);
      set(CURLOPT_RESOLVE, resolved_);
      set(CURLOPT_RESOLVER_START_FUNCTION, &Fetch::on_lookup);
    }
    prepare();
    prepare_content();
    if (::curl_multi_add_handle(client_.multi_, easy_) != CURLM_OK)
      throw Refuse{502, "The other server cannot be asked"};
  }
  void prepare() {
    set(CURLOPT_PRIVATE, static_cast<void*>(this));
    set(CURLOPT_NOSIGNAL, 1L);
    set(CURLOPT_PROTOCOLS_STR, "http,https");
    set(CURLOPT_PROXY, "");  // the environment's is not meant for this
    set(CURLOPT_URL, request_.url_.c_str());
    set(CURLOPT_CONNECTTIMEOUT_MS, static_cast<long>(client_.limits_.connect_ms));
    set(CURLOPT_WRITEFUNCTION, &Fetch::on_content);
    set(CURLOPT_WRITEDATA, static_cast<void*>(this));
    set(CURLOPT_HEADERFUNCTION, &Fetch::on_line);
    set(CURLOPT_HEADERDATA, static_cast<void*>(this));
    add(lines_, "Expect:");  // nobody waits for 100
    // libcurl would take "Name:" for a wish to have no such field.
    for (const auto& [name, value] : request_.fields_) add(lines_, name + (value.empty() ? ";" : ": " + value));
  }
  void prepare_content() {
    const std::string& method = request_.method_;
    if (method == "HEAD") {
      set(CURLOPT_NOBODY, 1L);
    } else if (request_.tells_size()) {
      if (!request_.has_field("Content-Type")) add(lines_, "Content-Type:");
      set(CURLOPT_POST, 1L);
      set(CURLOPT_POSTFIELDS, request_.content_.data());
      set(CURLOPT_POSTFIELDSIZE_LARGE, static_cast<curl_off_t>(request_.content_.size()));
    }
    const bool is_usual = method == "HEAD" || method == (request_.tells_size() ? "POST" : "GET");
    if (!is_usual) set(CURLOPT_CUSTOMREQUEST, method.c_str());
    set(CURLOPT_HTTPHEADER, lines_);
  }
  static void add(curl_slist*& list, const std::string& text) {
    curl_slist* const longer = ::curl_slist_append(list, text.c_str());
    if (longer == nullptr) throw std::bad_alloc();
    list = longer;
  }
  // Nothing of libcurl is under way for this any more.
  void drop() {
    if (easy_ != nullptr) {
      ::curl_multi_remove_handle(client_.multi_, easy_);
      ::curl_easy_cleanup(std::exchange(easy_, nullptr));
    }
    if (names_ != nullptr) ::curl_share_cleanup(std::exchange(names_, nullptr));
    ::curl_slist_free_all(std::exchange(lines_, nullptr));
    ::curl_slist_free_all(std::exchange(resolved_, nullptr));
  }

  static int on_lookup(void*, void*, void*) noexcept { return 1; }  // libcurl resolves nothing itself
  static std::size_t on_content(char* data, std::size_t, std::size_t size, void* self) noexcept {
    return static_cast<Fetch*>(self)->take(size,
                                           [&](Fetch& fetch) { fetch.answer_.content.append(data, size); });
  }
  static std::size_t on_line(char* data, std::size_t, std::size_t size, void* self) noexcept {
    return static_cast<Fetch*>(self)->take(size, [&](Fetch& fetch) { fetch.take_line({data, size}); });
  }
  template <typename Function>
  std::size_t take(std::size_t size, Function function) noexcept {
    if (has_failed_ || size > client_.limits_.content_max - received_) {
      is_too_long_ = !has_failed_;
      return 0;
    }
    received_ += size;
    try {
      function(*this);
    } catch (const std::exception&) {
      has_failed_ = true;
    }
    return has_failed_ ? 0 : size;
  }
  void take_line(std::string_view line) {
    if (line.starts_with("HTTP/")) {  // of the last answer, which no 100 is
      answer_ = {};
      return;
    }
    const std::string_view name = detail::take_until(line, ':');
    if (detail::is_token(name) && answer_.fields.size() < kFieldsMax)
      answer_.fields.emplace_back(name, without_end(detail::trimmed(line)));
  }
  static std::string_view without_end(std::string_view line) {
    while (line.ends_with('\r') || line.ends_with('\n') || line.ends_with(' ')) line.remove_suffix(1);
    return line;
  }

  void fired() override {
    timer_ = {};
    or_end([] { throw Refuse{504, "The other server did not answer in time"}; });
  }
  void ended(CURLcode result) {
    or_end([&] {
      if (is_too_long_) throw Refuse{502, "The other server's answer is too long"};
      if (has_failed_) throw Refuse{502, "The other server cannot be asked: memory or descriptors are used up"};
      if (result == CURLE_OPERATION_TIMEDOUT) throw Refuse{504, "The other server did not answer in time"};
      if (result != CURLE_OK)
        throw Refuse{502, std::string("The other server cannot be asked: ") + ::curl_easy_strerror(result)};
      long status = 0;
      ::curl_easy_getinfo(easy_, CURLINFO_RESPONSE_CODE, &status);
      answer_.status = static_cast<std::uint32_t>(status);
      if (!follow()) end();
    });
  }
  // False if the answer is no redirect, or is not to be followed.
  bool follow() {
    const std::uint32_t status = answer_.status;
    const std::string location = answer_.field("Location");
    const bool is_redirect = (status >= 301 && status <= 303) || status == 307 || status == 308;
    if (!is_redirect || location.empty() || client_.limits_.redirects_max == 0) return false;
    if (++redirects_ > client_.limits_.redirects_max) throw Refuse{502, "The other server redirects too often"};
    detail::FetchTarget next(request_.url_);
    next.follow(location);
    const std::string url = next.url();
    if (!FetchRequest::is_visible(url) || (target_.scheme() == "https" && next.scheme() != "https"))
      throw Refuse{502, "The other server redirects to what may not be asked"};
    drop();
    request_.redirect(status, url, next.is_same_origin(target_));
    target_ = std::move(next);
    find_and_ask();
    return true;
  }

  // What the function throws ends the fetch.
  template <typename Function>
  void or_end(Function function) {
    try {
      function();
    } catch (...) {
      thrown_ = std::current_exception();
      end();
    }
  }
  void end() {
    if (lookup_ != nullptr) lookup_->waiting = nullptr;
    if (timer_.value != 0) client_.host_.cancel(std::exchange(timer_, {}));
    drop();
    run_.wake();
  }

  static constexpr std::size_t kFieldsMax = 256;

  detail::Run& run_;
  FetchClient& client_;
  FetchRequest request_;
  detail::FetchTarget target_;
  std::shared_ptr<Lookup> lookup_;  // null before the first
  TimerId timer_;
  CURL* easy_ = nullptr;
  CURLSH* names_ = nullptr;
  curl_slist* lines_ = nullptr;
  curl_slist* resolved_ = nullptr;
  std::uint64_t received_ = 0;
  std::uint64_t redirects_ = 0;
  bool is_too_long_ = false;
  bool has_failed_ = false;
  std::exception_ptr thrown_;
  FetchAnswer answer_;
};

inline Fetch FetchClient::fetch(Call& call, const FetchRequest& request) {
  return call.wait_for<Fetch>(*this, request);
}

inline void FetchClient::fail(CURL* easy) {
  for (Fetch* const fetch : fetches_) {
    if (fetch->easy_ == easy) has_failed_ = fetch->has_failed_ = true;
  }
}

inline void FetchClient::tell_ended() {
  int left = 0;
  while (CURLMsg* const message = ::curl_multi_info_read(multi_, &left)) {
    if (message->msg != CURLMSG_DONE) continue;
    const CURLcode result = message->data.result;
    void* fetch = nullptr;
    ::curl_easy_getinfo(message->easy_handle, CURLINFO_PRIVATE, &fetch);
    static_cast<Fetch*>(fetch)->ended(result);
  }
  if (!std::exchange(has_failed_, false)) return;
  for (Fetch* const fetch : fetches_) {
    if (fetch->has_failed_ && fetch->easy_ != nullptr) fetch->ended(CURLE_OUT_OF_MEMORY);
  }
}

}  // namespace sluice::kit
