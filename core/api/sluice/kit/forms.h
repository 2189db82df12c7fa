// What a form sends (HTML Living Standard, section 4.10.21), once its content was received as a whole:
// application/x-www-form-urlencoded, or multipart/form-data with files (RFC 7578).
//
//     const std::string type = call.field("content-type").value_or("");
//     const std::string content = co_await call.body(1 << 20);
//     const kit::Form form = kit::Form::read(type, content);
//     const kit::FormPart* photo = form.find("photo");
//
// Everything is held in memory, so the limit of the body is the limit of the form; uploads.h has forms with
// large files. No state; any thread.
#pragma once

#include <sluice/kit/answers.h>
#include <sluice/kit/form_part.h>
#include <sluice/kit/request.h>

#include <algorithm>
#include <cstddef>
#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

namespace sluice::kit {

class Form {
 public:
  static constexpr std::size_t kPartsMax = 256;

  // Throws a Refuse: 415 for other types, 400 if the content is not written as its type says, 413 if there are
  // too many parts.
  static Form read(std::string_view content_type, std::string_view content, std::size_t parts_max = kPartsMax) {
    Form form;
    const std::string type = kit::media_type(content_type);
    if (type == "multipart/form-data") {
      form.read_parts(media_parameter(content_type, "boundary").value_or(""), content, parts_max);
    } else if (type == "application/x-www-form-urlencoded") {
      const auto parameters = Parameters::parse(content, parts_max);
      if (!parameters) throw Refuse{400, "The form is not well formed, or has too many fields"};
      for (const auto& [name, value] : *parameters) form.parts_.push_back({name, value});
    } else {
      throw Refuse{415, "Send application/x-www-form-urlencoded or multipart/form-data"};
    }
    return form;
  }

  // The first of that name; null without one.
  const FormPart* find(std::string_view name) const {
    const auto found =
        std::find_if(parts_.begin(), parts_.end(), [&](const FormPart& part) { return part.name == name; });
    return found == parts_.end() ? nullptr : &*found;
  }
  std::size_t size() const { return parts_.size(); }
  auto begin() const { return parts_.begin(); }
  auto end() const { return parts_.end(); }

 private:
  // RFC 2046 section 5.1.1, without a preamble and an epilogue, which no form has.
  void read_parts(const std::string& boundary, std::string_view content, std::size_t parts_max) {
    if (boundary.empty() || boundary.size() > 70) detail::refuse_form("it has no boundary of up to 70 bytes");
    const std::string delimiter = "\r\n--" + boundary;
    if (!detail::take_prefix(content, std::string_view(delimiter).substr(2)))
      detail::refuse_form("it does not begin with its boundary");
    while (!detail::take_prefix(content, "--")) {
      detail::skip_blanks(content);
      if (!detail::take_prefix(content, "\r\n")) detail::refuse_form("a line goes on behind the boundary");
      if (parts_.size() == parts_max) throw Refuse{413, "The form has too many parts"};
      const std::size_t head_size = content.substr(0, detail::kPartHeadMax + 4).find("\r\n\r\n");
      if (head_size == std::string_view::npos)
        detail::refuse_form("a part has no head, or one that is too long");
      FormPart part = detail::read_part_head(content.substr(0, head_size));
      content.remove_prefix(head_size + 4);
      const std::size_t size = content.find(delimiter);
      if (size == std::string_view::npos) detail::refuse_form("a part has no end");
      part.content = content.substr(0, size);
      content.remove_prefix(size + delimiter.size());
      parts_.push_back(std::move(part));
    }
    detail::skip_blanks(content);
    if (!content.empty() && content != "\r\n") detail::refuse_form("something follows its end");
  }

  std::vector<FormPart> parts_;
};

}  // namespace sluice::kit
