// Files of ticket keys: 1 to 3 keys of 80 bytes, or a sentence.
#include "settings/ticket_key_file.h"

#include <catch2/catch.hpp>
#include <string>

#include "support/temp_folder.h"

using namespace sluice;
using Catch::Matchers::Contains;

TEST_CASE("a file has 1 to 3 keys", "[ticket_key_file]") {
  const test::TempFolder folder;
  const auto refusal = [&](const std::string& bytes) {
    folder.write("keys", bytes);
    const auto read = read_ticket_keys(folder / "keys");
    return read ? std::string() : read.error().message;
  };
  for (const std::size_t size : {80U, 160U, 240U}) CHECK(refusal(std::string(size, 'x')).empty());
  for (const std::size_t size : {1U, 48U, 79U, 81U, 320U}) {
    CHECK(refusal(std::string(size, 'x')) ==
          "the file of ticket keys " + (folder / "keys") + " has " + std::to_string(size) +
              " bytes, but 1 to 3 keys have 80 bytes each: make one with: openssl rand 80 > " +
              (folder / "keys"));
  }
  CHECK_THAT(refusal(""), Contains("is empty: make one with: openssl rand 80 > "));
  CHECK_THAT(read_ticket_keys(folder / "none").error().message, Contains("cannot be read: No such file"));
}

TEST_CASE("keys go on being used while they are the same", "[ticket_key_file]") {
  const test::TempFolder folder;
  const std::string file = folder / "keys";
  folder.write("keys", std::string(80, 'a'));
  const auto own = *plan_ticket_keys("", nullptr);
  CHECK_FALSE(own->are_of_file());
  CHECK(*plan_ticket_keys("", own) == own);
  const auto shared = *plan_ticket_keys(file, own);
  CHECK(shared->are_of_file());
  CHECK(shared != own);
  CHECK(*plan_ticket_keys(file, shared) == shared);
  CHECK(*plan_ticket_keys("", shared) != shared);
  folder.write("keys", std::string(80, 'b'));
  CHECK(*plan_ticket_keys(file, shared) != shared);
  CHECK_FALSE(plan_ticket_keys(folder / "none", shared));
}
