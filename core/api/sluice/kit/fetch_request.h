// What a FetchClient of fetch.h asks, what it is answered, and where a redirect leads. The loop's thread;
// addresses_of: any.
#pragma once

#include <arpa/inet.h>
#include <curl/curl.h>
#include <netdb.h>
#include <netinet/in.h>
#include <sluice/kit/answers.h>
#include <sluice/kit/request.h>
#include <sys/socket.h>

#include <algorithm>
#include <cstdint>
#include <memory>
#include <new>
#include <optional>
#include <stdexcept>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#if LIBCURL_VERSION_NUM < 0x075500
#error "kit/fetch.h needs libcurl 7.85 or newer: install a newer libcurl4-openssl-dev"
#endif

namespace sluice::kit {

struct FetchLimits {
  std::uint64_t content_max = 1024 * 1024;  // of an answer with its head; more is a failure
  std::uint64_t time_ms = 10'000;           // for all of it, with waiting for a connection
  std::uint64_t connect_ms = 3'000;
  std::uint64_t redirects_max = 0;     // that are followed; with 0, a redirect is the answer
  std::uint64_t connections_max = 64;  // at once, of this client; others wait. Idle ones are kept
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

class FetchRequest {
 public:
  // http or https. Nothing in it is encoded: segment_encoded and path_encoded of request.h do that. Throws
  // std::invalid_argument for bytes that no URL has.
  explicit FetchRequest(std::string url, std::string method = "GET")
      : url_(std::move(url)), method_(std::move(method)) {
    if (!detail::is_token(method_)) throw std::invalid_argument("a method is a token");
    if (!is_visible(url_)) throw std::invalid_argument("a URL has visible ASCII only: encode other bytes");
  }
  // Adds a field. Throws std::invalid_argument if it is none.
  FetchRequest& field(std::string_view name, std::string_view value) {
    if (!detail::is_token(name) || value.find_first_of(std::string_view("\r\n\0", 3)) != std::string_view::npos)
      throw std::invalid_argument("a field has a token for its name, and one line for its value");
    fields_.emplace_back(name, value);
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

  static bool is_visible(std::string_view text) {
    return std::all_of(text.begin(), text.end(), [](char byte) { return byte > ' ' && byte < '\x7f'; });
  }
  static bool is_of_content(std::string_view name) {
    constexpr std::string_view kBegin = "content-";
    return name.size() > kBegin.size() && detail::same_letters(name.substr(0, kBegin.size()), kBegin);
  }
  bool has_field(std::string_view name) const {
    return std::any_of(fields_.begin(), fields_.end(),
                       [&](const auto& field) { return detail::same_letters(field.first, name); });
  }
  // RFC 9110 section 8.6: of these methods, a server expects content, so that it is told that there is none.
  bool tells_size() const {
    return has_content_ || method_ == "POST" || method_ == "PUT" || method_ == "PATCH";
  }
  // RFC 9110 section 15.4. Another origin gets no field that was meant for the first one.
  void redirect(std::uint32_t status, std::string url, bool is_same_origin) {
    if ((status == 303 && method_ != "HEAD") || (status <= 302 && method_ == "POST")) {
      method_ = "GET";
      content_.clear();
      has_content_ = false;
      std::erase_if(fields_, [](const auto& field) { return is_of_content(field.first); });
    }
    if (!is_same_origin) std::erase_if(fields_, [](const auto& field) { return !is_of_content(field.first); });
    url_ = std::move(url);
  }

  std::string url_;
  std::string method_;
  std::vector<std::pair<std::string, std::string>> fields_;
  std::string content_;
  bool has_content_ = false;
};

namespace detail {

// The place to which a URL leads.
class FetchTarget {
 public:
  // Throws a Refuse.
  explicit FetchTarget(const std::string& url) : url_(::curl_url(), &::curl_url_cleanup) {
    if (url_ == nullptr) throw std::bad_alloc();
    set(url, 0);
  }
  // Goes to where `location` leads from here.
  void follow(const std::string& location) { set(location, CURLU_URLENCODE); }

  const std::string& scheme() const { return scheme_; }
  const std::string& host() const { return host_; }
  const std::string& port() const { return port_; }
  std::string url() const { return part(CURLUPART_URL); }
  bool is_same_origin(const FetchTarget& other) const {
    return scheme_ == other.scheme_ && same_letters(host_, other.host_) && port_ == other.port_;
  }
  // An address in place of a name, for which nobody has to be asked.
  bool is_address() const {
    in_addr address{};
    return host_.starts_with('[') || ::inet_pton(AF_INET, host_.c_str(), &address) == 1;
  }

 private:
  void set(const std::string& url, unsigned flags) {
    if (::curl_url_set(url_.get(), CURLUPART_URL, url.c_str(), flags) != CURLUE_OK)
      throw Refuse{502, "The other server cannot be asked: its URL is not valid"};
    scheme_ = part(CURLUPART_SCHEME);
    host_ = part(CURLUPART_HOST);
    port_ = part(CURLUPART_PORT);
    if (scheme_ != "http" && scheme_ != "https")
      throw Refuse{502, "The other server cannot be asked: its URL is not of http or https"};
  }
  std::string part(CURLUPart which) const {
    char* text = nullptr;
    if (::curl_url_get(url_.get(), which, &text, CURLU_DEFAULT_PORT) != CURLUE_OK) return {};
    const std::unique_ptr<char, decltype(&::curl_free)> owned(text, &::curl_free);
    return text;
  }

  std::unique_ptr<CURLU, decltype(&::curl_url_cleanup)> url_;
  std::string scheme_;
  std::string host_;
  std::string port_;
};

// The addresses of a host, as CURLOPT_RESOLVE wants them; empty if it has none. It blocks.
inline std::string addresses_of(const std::string& host) {
  addrinfo wanted{};
  wanted.ai_socktype = SOCK_STREAM;
  addrinfo* found = nullptr;
  if (::getaddrinfo(host.c_str(), nullptr, &wanted, &found) != 0) return {};
  const std::unique_ptr<addrinfo, decltype(&::freeaddrinfo)> owned(found, &::freeaddrinfo);
  std::string text;
  for (const addrinfo* one = found; one != nullptr; one = one->ai_next) {
    char address[INET6_ADDRSTRLEN];
    const bool is_6 = one->ai_family == AF_INET6;
    if (!is_6 && one->ai_family != AF_INET) continue;
    const void* const bytes =
        is_6 ? static_cast<const void*>(&reinterpret_cast<const sockaddr_in6*>(one->ai_addr)->sin6_addr)
             : static_cast<const void*>(&reinterpret_cast<const sockaddr_in*>(one->ai_addr)->sin_addr);
    if (::inet_ntop(one->ai_family, bytes, address, sizeof(address)) == nullptr) continue;
    text += text.empty() ? "" : ",";
    text += is_6 ? "[" + std::string(address) + "]" : std::string(address);
  }
  return text;
}

}  // namespace detail
}  // namespace sluice::kit
