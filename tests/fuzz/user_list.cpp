// Files of users and the credentials of requests: any text is read, or refused with a sentence, and who is in a
// list has a hash that can be compared.
#include "access/user_list.h"

#include <cstddef>
#include <cstdint>
#include <stdexcept>
#include <string>
#include <string_view>

#include "access/basic_credentials.h"
#include "access/password_hash.h"
#include "expect.h"

using namespace sluice;
using namespace sluice::access;
using fuzz::expect;

namespace {

void check_list(std::string_view bytes) {
  try {
    const UserList users(bytes, "/users");
    expect(users.size() <= bytes.size(), "each user takes a line");
    if (users.empty()) return;
    for (const std::string_view name : {std::string_view("a"), bytes.substr(0, bytes.find(':')), bytes}) {
      if (const std::string* hash = users.find(name))
        expect(why_not_usable(*hash) == nullptr, "the hash of a user can be compared");
      expect(why_not_usable(users.decoy(name)) == nullptr, "a decoy can be compared");
      expect(users.decoy(name) == users.decoy(name), "a name has one decoy");
    }
  } catch (const std::runtime_error& refused) {
    expect(std::string_view(refused.what()).find("/users") != std::string_view::npos,
           "a refusal names the file");
  }
}

void check_credentials(std::string_view bytes) {
  const Field fields[] = {{Bytes("authorization"), Bytes(bytes), FieldId::authorization}};
  Request request{};
  request.fields = fields;
  request.field_count = 1;
  const auto credentials = basic_credentials(request);
  if (!credentials) return;
  expect(credentials->user.find(':') == std::string::npos, "a name ends at the first colon");
  for (const std::string& text : {credentials->user, credentials->password})
    for (const char byte : text)
      expect(static_cast<unsigned char>(byte) >= 0x20, "there are no control characters");
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  const std::string_view bytes(reinterpret_cast<const char*>(data), size);
  check_list(bytes);
  check_credentials(bytes);
  check_credentials("Basic " + std::string(bytes));
  return 0;
}
