// What a form sends (HTML Living Standard, section 4.10.21), once its content was received as a whole:
// application/x-www-form-urlencoded, or multipart/form-data with files (RFC 7578).
//
//     const std::string type = call.field("content-type").value_or("");
//     const std::string content = co_await call.body(1 << 20);
//     const kit::Form form = kit::Form::read(type, content);
//     const kit::FormPart* photo = form.find("photo");
//
// Everything is held in memory, so the limit of the body is the limit of the form. No state; any thread.
#pragma once

#include <sluice/kit/answers.h>
#include <sluice/kit/request.h>

#include <algorithm>
#include <cstddef>
#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

namespace sluice::kit {

// A field of a form.
struct FormPart {
  std::string name;
  std::string content;
  // Of a file: its name, which the client may have made up, so it is no path. Empty if no file was chosen.
  std::optional<std::string> file_name = {};
  std::string type = {};  // media type of a part of multipart/form-data that says one
};

class Form {
 public:
  static constexpr std::size_t kPartsMax = 256;
  static constexpr std::size_t kHeadMax = 4 * 1024;  // of one part of multipart/form-data

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
  [[noreturn]] static void refuse(const char* why) {
    throw Refuse{400, std::string("The multipart form is not well formed: ") + why};
  }

  // Takes `what` from the front.
  static bool take(std::string_view& text, std::string_view what) {
    if (!text.starts_with(what)) return false;
    text.remove_prefix(what.size());
    return true;
  }

  static void skip_blanks(std::string_view& text) {
    text.remove_prefix(std::min(text.size(), text.find_first_not_of(" \t")));
  }

  // RFC 2046 section 5.1.1, without a preamble and an epilogue, which no form has.
  void read_parts(const std::string& boundary, std::string_view content, std::size_t parts_max) {
    if (boundary.empty() || boundary.size() > 70) refuse("it has no boundary of up to 70 bytes");
    const std::string delimiter = "\r\n--" + boundary;
    if (!take(content, std::string_view(delimiter).substr(2))) refuse("it does not begin with its boundary");
    while (!take(content, "--")) {
      skip_blanks(content);
      if (!take(content, "\r\n")) refuse("a line goes on behind the boundary");
      if (parts_.size() == parts_max) throw Refuse{413, "The form has too many parts"};
      const std::size_t head_size = content.substr(0, kHeadMax + 4).find("\r\n\r\n");
      if (head_size == std::string_view::npos) refuse("a part has no head, or one that is too long");
      FormPart part = read_head(content.substr(0, head_size));
      content.remove_prefix(head_size + 4);
      const std::size_t size = content.find(delimiter);
      if (size == std::string_view::npos) refuse("a part has no end");
      part.content = content.substr(0, size);
      content.remove_prefix(size + delimiter.size());
      parts_.push_back(std::move(part));
    }
    skip_blanks(content);
    if (!content.empty() && content != "\r\n") refuse("something follows its end");
  }

  static FormPart read_head(std::string_view head) {
    FormPart part;
    bool has_name = false;
    while (!head.empty()) {
      std::string_view value = head.substr(0, head.find("\r\n"));
      head.remove_prefix(std::min(head.size(), value.size() + 2));
      const bool has_control_bytes = std::any_of(value.begin(), value.end(), [](char byte) {
        return (static_cast<unsigned char>(byte) < 0x20 && byte != '\t') || byte == '\x7f';
      });
      const std::string_view field = detail::take_until(value, ':');
      if (has_control_bytes || !detail::is_token(field)) refuse("a part has a line that is no field");
      if (detail::same_letters(field, "content-type")) part.type = kit::media_type(value);
      if (!detail::same_letters(field, "content-disposition")) continue;
      const std::string escaped = with_escapes(value);
      const auto name = media_parameter(escaped, "name");
      const std::string_view kind = detail::trimmed(value.substr(0, value.find(';')));
      if (has_name || !name || !detail::same_letters(kind, "form-data")) refuse("a part has not one name");
      has_name = true;
      part.name = unescaped(*name);
      if (const auto file = media_parameter(escaped, "filename")) part.file_name = unescaped(*file);
    }
    if (!has_name) refuse("a part has not one name");
    return part;
  }

  // Browsers do not escape backslashes. So one is itself, and gets its escape here, unless it stands before a
  // quote that does not end the value: other clients escape quotes so.
  static std::string with_escapes(std::string_view value) {
    std::string text;
    for (std::size_t i = 0; i < value.size(); ++i) {
      text += value[i];
      if (value[i] != '\\') continue;
      const bool is_before_quote = value.substr(i + 1).starts_with('"');
      const std::string_view rest = detail::trimmed(value.substr(std::min(value.size(), i + 2)));
      const bool is_escape = is_before_quote && !rest.empty() && rest.front() != ';';
      text += is_escape ? value[++i] : '\\';
    }
    return text;
  }

  // Browsers write quotes and line ends of names so.
  static std::string unescaped(std::string_view name) {
    std::string text;
    while (!name.empty()) {
      if (take(name, "%22")) {
        text += '"';
      } else if (take(name, "%0D")) {
        text += '\r';
      } else if (take(name, "%0A")) {
        text += '\n';
      } else {
        text += name.front();
        name.remove_prefix(1);
      }
    }
    return text;
  }

  std::vector<FormPart> parts_;
};

}  // namespace sluice::kit
