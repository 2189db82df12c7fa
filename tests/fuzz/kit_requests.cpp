// What clients write into requests, as the kit reads it: queries, forms of both types, cookies, parameters of a
// media type. What is read was written, what was encoded is decoded to itself, and nothing but a refusal is
// thrown.
#include <sluice/kit/forms.h>
#include <sluice/kit/request.h>

#include <cstddef>
#include <cstdint>
#include <string>
#include <string_view>

#include "expect.h"

using namespace sluice;
using fuzz::expect;

namespace {

void check_query(std::string_view bytes) {
  const auto parsed = kit::Parameters::parse(bytes);
  if (!parsed) return;
  std::size_t size = 0;
  for (const auto& [name, value] : *parsed) {
    size += name.size() + value.size();
    expect(parsed->find(name) != nullptr, "a parameter is found by its name");
  }
  expect(size <= bytes.size(), "parameters are no longer than the query");
}

void check_encoding(std::string_view bytes) {
  const std::string encoded = kit::path_encoded(bytes);
  const auto decoded = kit::form_decoded(encoded);
  expect(decoded && *decoded == bytes, "what was encoded is decoded to itself");
  if (const auto form = kit::form_decoded(bytes))
    expect(form->size() <= bytes.size(), "a text does not grow when it is decoded");
}

void check_form(std::string_view type, std::string_view content) {
  try {
    const kit::Form form = kit::Form::read(type, content);
    expect(form.size() <= kit::Form::kPartsMax, "a form has few parts");
    std::size_t size = 0;
    for (const kit::FormPart& part : form) {
      size += part.content.size();
      expect(form.find(part.name) != nullptr, "a part is found by its name");
    }
    expect(size <= content.size(), "parts are no longer than the form");
  } catch (const kit::Refuse& refused) {
    expect(refused.status == 400 || refused.status == 413 || refused.status == 415,
           "a refusal is the client's");
    expect(!refused.detail.empty(), "a refusal says why");
  }
}

// The bytes between two boundaries are a part's content, whatever they are.
void check_content(std::string_view bytes) {
  if (bytes.find("\r\n--edge") != std::string_view::npos) return;
  const std::string form =
      "--edge\r\nContent-Disposition: form-data; name=\"a\"\r\n\r\n" + std::string(bytes) + "\r\n--edge--\r\n";
  const auto read = kit::Form::read("multipart/form-data; boundary=edge", form);
  expect(read.size() == 1 && read.begin()->content == bytes, "a part's content comes as it was sent");
}

void check_cookies(std::string_view bytes) {
  const Field fields[] = {{Bytes("cookie"), Bytes(bytes), FieldId::other}};
  Request request{};
  request.fields = fields;
  request.field_count = 1;
  for (const std::string_view name : {"a", "session", ""}) {
    const auto value = kit::cookie(request, name);
    if (value && !value->empty())
      expect(value->data() >= bytes.data() && value->end() <= bytes.end(), "a cookie is a part of its field");
  }
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  const std::string_view bytes(reinterpret_cast<const char*>(data), size);
  const std::string_view first = bytes.substr(0, bytes.find('\n'));
  const std::string_view rest = bytes.substr(std::min(bytes.size(), first.size() + 1));
  check_query(bytes);
  check_encoding(bytes);
  check_content(bytes);
  check_cookies(bytes);
  check_form(first, rest);
  check_form("multipart/form-data; boundary=edge", bytes);
  kit::number(bytes);
  kit::media_parameter(bytes, "boundary");
  return 0;
}
