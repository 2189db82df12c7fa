// HTTP/2 as bytes: makes frames one by one, also wrong ones, and reads those of a server. It holds no socket.
//
// One for each connection. What it cannot read is thrown as std::runtime_error. One thread.
#pragma once

#include <nghttp2/nghttp2.h>

#include <cstdint>
#include <map>
#include <memory>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

namespace sluice::test {

using Fields = std::vector<std::pair<std::string, std::string>>;

struct Http2Answer {
  std::string status;
  std::vector<std::string> interim;  // statuses before that, as 100
  Fields fields;
  std::string content;
  std::size_t frames = 0;  // of content
  bool ended = false;
  bool was_reset = false;
  std::uint32_t reset_code = 0;

  std::string field(std::string_view name) const;
};

class Http2Wire {
 public:
  Http2Wire();

  // The preface of a client, with its SETTINGS: pairs of number and value.
  std::string preface(const std::vector<std::pair<std::uint16_t, std::uint32_t>>& settings = {}) const;
  static std::string frame(std::uint8_t type, std::uint8_t flags, std::uint32_t id,
                           std::string_view payload = "");
  // The fields as they stand, compressed.
  std::string block(const Fields& fields);
  // HEADERS that end their block, and END_STREAM if nothing follows.
  std::string headers(std::uint32_t id, const Fields& fields, bool ends = true);
  // A request for the path, from http://a.
  static Fields request(const std::string& path, const std::string& method = "GET", const Fields& more = {});
  // The same, from https://a over TLS.
  bool secure = false;
  Fields ask(const std::string& path, const std::string& method = "GET", const Fields& more = {}) const;
  std::string get(std::uint32_t id, const std::string& path) { return headers(id, ask(path)); }
  static std::string data(std::uint32_t id, std::string_view content, bool ends = true);
  static std::string window_update(std::uint32_t id, std::uint32_t size);
  static std::string reset(std::uint32_t id, std::uint32_t code = NGHTTP2_CANCEL);

  // Takes what the server has sent. What it has to be answered with is in `due`, be it sent or not.
  void take(std::string_view bytes);
  // Acknowledgements, and windows that are opened again, since the last call.
  std::string due() { return std::exchange(due_, {}); }
  bool opens_windows = true;

  Http2Answer& answer(std::uint32_t id) { return answers_[id]; }
  bool has(std::uint32_t id) const { return answers_.count(id) > 0; }
  // Whether the stream has ended, or the whole connection.
  bool is_done(std::uint32_t id) const;
  // Codes and last streams of all GOAWAY frames.
  struct Goaway {
    std::uint32_t last = 0;
    std::uint32_t code = 0;
  };
  const std::vector<Goaway>& goaways() const { return goaways_; }
  bool was_told_to_go(std::uint32_t code) const { return !goaways_.empty() && goaways_.back().code == code; }
  unsigned pings_acknowledged() const { return pongs_; }
  unsigned settings_acknowledged() const { return settings_acks_; }
  // The streams of the DATA frames, in their order.
  const std::vector<std::uint32_t>& order() const { return order_; }
  std::size_t head_bytes() const { return head_bytes_; }

 private:
  void take_frame(std::uint8_t type, std::uint8_t flags, std::uint32_t id, std::string_view payload);
  void take_block(std::uint32_t id, bool ends);

  struct Free {
    void operator()(nghttp2_hd_deflater* deflater) const { nghttp2_hd_deflate_del(deflater); }
    void operator()(nghttp2_hd_inflater* inflater) const { nghttp2_hd_inflate_del(inflater); }
  };
  std::unique_ptr<nghttp2_hd_deflater, Free> deflater_;
  std::unique_ptr<nghttp2_hd_inflater, Free> inflater_;
  std::string received_;
  std::string block_;
  bool block_ends_ = false;
  std::string due_;
  std::map<std::uint32_t, Http2Answer> answers_;
  std::vector<Goaway> goaways_;
  std::vector<std::uint32_t> order_;
  unsigned pongs_ = 0;
  unsigned settings_acks_ = 0;
  std::size_t head_bytes_ = 0;
};

}  // namespace sluice::test
