#include "support/http2_wire.h"

#include <stdexcept>

namespace sluice::test {
namespace {

constexpr std::size_t kHeadSize = 9;

std::string number(std::uint32_t value, int bytes) {
  std::string text;
  for (int i = bytes - 1; i >= 0; --i) text.push_back(static_cast<char>((value >> (8 * i)) & 0xff));
  return text;
}

std::uint32_t number_at(std::string_view text, std::size_t at, std::size_t bytes) {
  std::uint32_t value = 0;
  for (std::size_t i = 0; i < bytes; ++i) value = value << 8 | static_cast<unsigned char>(text.at(at + i));
  return value;
}

}  // namespace

std::string Http2Answer::field(std::string_view name) const {
  for (const auto& [known, value] : fields) {
    if (known == name) return value;
  }
  return "";
}

Http2Wire::Http2Wire() {
  nghttp2_hd_deflater* deflater = nullptr;
  nghttp2_hd_inflater* inflater = nullptr;
  constexpr std::size_t kTableSize = 4096;
  nghttp2_hd_deflate_new(&deflater, kTableSize);
  nghttp2_hd_inflate_new(&inflater);
  deflater_.reset(deflater);
  inflater_.reset(inflater);
}

std::string Http2Wire::preface(const std::vector<std::pair<std::uint16_t, std::uint32_t>>& settings) const {
  std::string payload;
  for (const auto& [name, value] : settings) payload += number(name, 2) + number(value, 4);
  return "PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n" + frame(NGHTTP2_SETTINGS, 0, 0, payload);
}

std::string Http2Wire::frame(std::uint8_t type, std::uint8_t flags, std::uint32_t id,
                             std::string_view payload) {
  return number(static_cast<std::uint32_t>(payload.size()), 3) + number(type, 1) + number(flags, 1) +
         number(id, 4) + std::string(payload);
}

std::string Http2Wire::block(const Fields& fields) {
  std::vector<nghttp2_nv> list;
  for (const auto& [name, value] : fields) {
    const auto bytes = [](const std::string& text) {
      return reinterpret_cast<std::uint8_t*>(const_cast<char*>(text.data()));
    };
    list.push_back({bytes(name), bytes(value), name.size(), value.size(), NGHTTP2_NV_FLAG_NONE});
  }
  std::string made(nghttp2_hd_deflate_bound(deflater_.get(), list.data(), list.size()), '\0');
  const ssize_t size = nghttp2_hd_deflate_hd(deflater_.get(), reinterpret_cast<std::uint8_t*>(made.data()),
                                             made.size(), list.data(), list.size());
  if (size < 0) throw std::runtime_error("fields cannot be compressed");
  made.resize(static_cast<std::size_t>(size));
  return made;
}

std::string Http2Wire::headers(std::uint32_t id, const Fields& fields, bool ends) {
  const int flags = NGHTTP2_FLAG_END_HEADERS | (ends ? NGHTTP2_FLAG_END_STREAM : 0);
  return frame(NGHTTP2_HEADERS, static_cast<std::uint8_t>(flags), id, block(fields));
}

Fields Http2Wire::ask(const std::string& path, const std::string& method, const Fields& more) const {
  Fields fields = request(path, method, more);
  if (secure) fields[1].second = "https";
  return fields;
}

Fields Http2Wire::request(const std::string& path, const std::string& method, const Fields& more) {
  Fields fields = {{":method", method}, {":scheme", "http"}, {":authority", "a"}, {":path", path}};
  fields.insert(fields.end(), more.begin(), more.end());
  return fields;
}

std::string Http2Wire::data(std::uint32_t id, std::string_view content, bool ends) {
  return frame(NGHTTP2_DATA, ends ? NGHTTP2_FLAG_END_STREAM : NGHTTP2_FLAG_NONE, id, content);
}

std::string Http2Wire::window_update(std::uint32_t id, std::uint32_t size) {
  return frame(NGHTTP2_WINDOW_UPDATE, 0, id, number(size, 4));
}

std::string Http2Wire::reset(std::uint32_t id, std::uint32_t code) {
  return frame(NGHTTP2_RST_STREAM, 0, id, number(code, 4));
}

bool Http2Wire::is_done(std::uint32_t id) const {
  const auto found = answers_.find(id);
  return found != answers_.end() && (found->second.ended || found->second.was_reset);
}

void Http2Wire::take(std::string_view bytes) {
  received_.append(bytes);
  for (;;) {
    if (received_.size() < kHeadSize) return;
    const std::size_t size = number_at(received_, 0, 3);
    if (received_.size() < kHeadSize + size) return;
    const std::string whole = received_.substr(0, kHeadSize + size);
    received_.erase(0, whole.size());
    take_frame(static_cast<std::uint8_t>(whole[3]), static_cast<std::uint8_t>(whole[4]), number_at(whole, 5, 4),
               std::string_view(whole).substr(kHeadSize));
  }
}

void Http2Wire::take_frame(std::uint8_t type, std::uint8_t flags, std::uint32_t id, std::string_view payload) {
  const bool ends = (flags & NGHTTP2_FLAG_END_STREAM) != 0;
  switch (type) {
    case NGHTTP2_HEADERS:
    case NGHTTP2_CONTINUATION:
      head_bytes_ += payload.size();
      if (type == NGHTTP2_HEADERS) block_ends_ = ends;
      block_.append(payload);
      if ((flags & NGHTTP2_FLAG_END_HEADERS) != 0) take_block(id, block_ends_);
      break;
    case NGHTTP2_DATA:
      answers_[id].content.append(payload);
      answers_[id].ended = ends;
      ++answers_[id].frames;
      order_.push_back(id);
      if (opens_windows && !payload.empty()) {
        const auto size = static_cast<std::uint32_t>(payload.size());
        due_ += window_update(0, size);
        if (!ends) due_ += window_update(id, size);
      }
      break;
    case NGHTTP2_RST_STREAM:
      answers_[id].was_reset = true;
      answers_[id].reset_code = number_at(payload, 0, 4);
      break;
    case NGHTTP2_SETTINGS:
      if ((flags & NGHTTP2_FLAG_ACK) != 0) {
        ++settings_acks_;
      } else {
        due_ += frame(NGHTTP2_SETTINGS, NGHTTP2_FLAG_ACK, 0);
      }
      break;
    case NGHTTP2_PING:
      if ((flags & NGHTTP2_FLAG_ACK) != 0) {
        ++pongs_;
      } else {
        due_ += frame(NGHTTP2_PING, NGHTTP2_FLAG_ACK, 0, payload);
      }
      break;
    case NGHTTP2_GOAWAY:
      goaways_.push_back({number_at(payload, 0, 4), number_at(payload, 4, 4)});
      break;
    default:
      break;
  }
}

void Http2Wire::take_block(std::uint32_t id, bool ends) {
  const std::string bytes = std::exchange(block_, {});
  Http2Answer& answer = answers_[id];
  Fields fields;
  const auto* at = reinterpret_cast<const std::uint8_t*>(bytes.data());
  std::size_t left = bytes.size();
  for (int flags = 0; (flags & NGHTTP2_HD_INFLATE_FINAL) == 0;) {
    nghttp2_nv field;
    flags = 0;
    const ssize_t used = nghttp2_hd_inflate_hd2(inflater_.get(), &field, &flags, at, left, 1);
    if (used < 0) throw std::runtime_error("the server's fields cannot be decompressed");
    at += used;
    left -= static_cast<std::size_t>(used);
    if ((flags & NGHTTP2_HD_INFLATE_EMIT) != 0) {
      fields.emplace_back(std::string(reinterpret_cast<const char*>(field.name), field.namelen),
                          std::string(reinterpret_cast<const char*>(field.value), field.valuelen));
    }
  }
  nghttp2_hd_inflate_end_headers(inflater_.get());
  if (!fields.empty() && fields[0].first == ":status" && fields[0].second[0] == '1') {
    answer.interim.push_back(fields[0].second);
    return;
  }
  if (!fields.empty() && fields[0].first == ":status") answer.status = fields[0].second;
  answer.fields.insert(answer.fields.end(), fields.begin(), fields.end());
  answer.ended = ends;
}

}  // namespace sluice::test
