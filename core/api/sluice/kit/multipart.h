// Takes multipart/form-data (RFC 7578, RFC 2046 section 5.1.1) apart while it comes, in pieces of any size. No
// thread of its own; one object for one content.
#pragma once

#include <sluice/kit/answers.h>
#include <sluice/kit/form_part.h>

#include <algorithm>
#include <cstddef>
#include <string>
#include <string_view>
#include <utility>

namespace sluice::kit {

class MultipartReader {
 public:
  // Takes what is found. The views end with the call.
  class Parts {
   public:
    // A part begins; its content is empty so far.
    virtual void begin_part(FormPart part) = 0;
    virtual void add_content(std::string_view piece) = 0;

   protected:
    ~Parts() = default;
  };

  // Throws a Refuse: 415 for other types, 400 without a boundary.
  MultipartReader(std::string_view content_type, Parts& parts) : parts_(parts) {
    if (kit::media_type(content_type) != "multipart/form-data") throw Refuse{415, "Send multipart/form-data"};
    const std::string boundary = media_parameter(content_type, "boundary").value_or("");
    if (boundary.empty() || boundary.size() > 70) detail::refuse_form("it has no boundary of up to 70 bytes");
    delimiter_ = "\r\n--" + boundary;
    waiting_ = "\r\n";  // so that the first boundary is like the others
  }
  MultipartReader(const MultipartReader&) = delete;
  MultipartReader& operator=(const MultipartReader&) = delete;

  // The next bytes of the content. Throws a Refuse with 400 if they are not well formed.
  void take(std::string_view piece) {
    waiting_ += piece;
    std::string_view rest = waiting_;
    while (step(rest)) {
    }
    waiting_.erase(0, waiting_.size() - rest.size());
  }
  // Nothing follows. Throws a Refuse with 400 if something should.
  void end() const {
    if (state_ != State::ended) detail::refuse_form("it has no end");
    if (!waiting_.empty() && waiting_ != "\r\n") detail::refuse_form("something follows its end");
  }

 private:
  enum class State : std::uint8_t {
    before,    // the first boundary
    boundary,  // behind one: the end of the line, or "--"
    head,
    content,
    ended,
  };

  // Takes from the front of `rest`. False if it needs more bytes to go on.
  bool step(std::string_view& rest) {
    switch (state_) {
      case State::before: {
        if (rest.size() < delimiter_.size()) return false;
        if (!detail::take_prefix(rest, delimiter_)) detail::refuse_form("it does not begin with its boundary");
        state_ = State::boundary;
        return true;
      }
      case State::boundary:
        return take_line(rest);
      case State::head:
        return take_head(rest);
      case State::content:
        return take_content(rest);
      case State::ended:
        break;
    }
    detail::skip_blanks(rest);
    if (!std::string_view("\r\n").starts_with(rest)) detail::refuse_form("something follows its end");
    return false;
  }

  bool take_line(std::string_view& rest) {
    if (rest.size() < 2) return false;
    if (detail::take_prefix(rest, "--")) {
      state_ = State::ended;
      return true;
    }
    std::string_view line = rest;
    detail::skip_blanks(line);
    if (line.size() < 2 && rest.size() < detail::kPartHeadMax) return false;
    if (!detail::take_prefix(line, "\r\n")) detail::refuse_form("a line goes on behind the boundary");
    rest = line;
    state_ = State::head;
    return true;
  }

  bool take_head(std::string_view& rest) {
    const std::size_t size = rest.substr(0, detail::kPartHeadMax + 4).find("\r\n\r\n");
    if (size == std::string_view::npos) {
      if (rest.size() >= detail::kPartHeadMax + 4)
        detail::refuse_form("a part has no head, or one that is too long");
      return false;
    }
    parts_.begin_part(detail::read_part_head(rest.substr(0, size)));
    rest.remove_prefix(size + 4);
    state_ = State::content;
    return true;
  }

  // Leaves what may be the beginning of a delimiter.
  bool take_content(std::string_view& rest) {
    const std::size_t at = rest.find(delimiter_);
    if (at != std::string_view::npos) {
      if (at > 0) parts_.add_content(rest.substr(0, at));
      rest.remove_prefix(at + delimiter_.size());
      state_ = State::boundary;
      return true;
    }
    const std::size_t certain = rest.size() - std::min(rest.size(), delimiter_.size() - 1);
    if (certain > 0) parts_.add_content(rest.substr(0, certain));
    rest.remove_prefix(certain);
    return false;
  }

  Parts& parts_;
  std::string delimiter_;
  std::string waiting_;  // not taken yet
  State state_ = State::before;
};

}  // namespace sluice::kit
