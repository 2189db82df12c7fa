// An answer on its way into HEADERS and DATA frames (RFC 9113 section 8.1). nghttp2 asks for content by it.
//
// Loop thread. Owned by its stream; nghttp2 knows it until it has closed the stream.
#pragma once

#include "connection/http2_link.h"
#include "http/response_head.h"

namespace sluice {

class Http2Answer {
 public:
  // Begins the answers of a stream of this number.
  void reset(std::int32_t id) {
    *this = Http2Answer();
    id_ = id;
  }
  // The head is sent with the first content, and may be taken back until then. Its texts live until then.
  void begin(const ResponseHead& head) {
    head_ = head;
    head_waits_ = true;
  }
  void take_back() { head_waits_ = false; }

  std::int32_t id() const { return id_; }
  bool head_waits() const { return head_waits_; }
  // The end was sent.
  bool has_ended() const { return ended_; }
  // An upper bound for the frames of this head.
  static std::size_t size_max(const ResponseHead& head);
  std::size_t head_size_max() const { return size_max(head_); }
  // The same for the frames of trailers; 0 without any.
  static std::size_t size_max(std::string_view lines);
  // They are sent behind the last content. They live until then.
  void set_trailers(std::string_view lines) { trailers_ = lines; }

  // Sends the head if it waits, and a DATA frame with `size` bytes of content. These lie in
  // Http2Common::staging if the head waits, else in the output, behind the room for the frame's head. false:
  // the connection is broken. REQUIRES: the output has room, and the windows allow it.
  bool send(Http2Link& link, std::size_t size, bool last);

  // Puts the head of a DATA frame before its content, and both into the output. false if that cannot be.
  bool put_frame(Http2Link& link, const std::uint8_t* frame_head, std::size_t size);

 private:
  static ssize_t read(nghttp2_session* session, std::int32_t id, std::uint8_t* buffer, std::size_t room,
                      std::uint32_t* flags, nghttp2_data_source* source, void* link);
  bool submit_head(Http2Link& link, bool has_content);

  // Submits what follows the last content.
  bool submit_trailers(Http2Link& link);

  ResponseHead head_;
  std::string_view trailers_;
  std::uint64_t position_ = 0;  // of the frame in the output
  std::size_t ready_ = 0;       // content of the next frame
  std::int32_t id_ = 0;         // of the stream
  bool head_waits_ = false;
  bool is_staged_ = false;
  bool ends_ = false;  // the next frame is the last one
  bool ended_ = false;
  bool trailers_due_ = false;
};

}  // namespace sluice
