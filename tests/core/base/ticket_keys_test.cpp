// Keys of session tickets: the one before the current one still opens, older ones do not.
#include "base/ticket_keys.h"

#include <sys/wait.h>
#include <unistd.h>

#include <catch2/catch.hpp>

using sluice::TicketKey;
using sluice::TicketKeys;

TEST_CASE("a key opens for as long again as it seals", "[ticket_keys]") {
  const auto keys = std::move(*TicketKeys::make());
  const TicketKey first = keys->current();
  REQUIRE(keys->find(first.name));
  CHECK(keys->find(first.name)->is_current);
  CHECK(keys->find(first.name)->key.cipher == first.cipher);

  const std::uint64_t later_ms = ~std::uint64_t{0} / 2;
  keys->rotate_if_due(later_ms);
  const TicketKey second = keys->current();
  CHECK(second.name != first.name);
  CHECK(second.cipher != first.cipher);
  REQUIRE(keys->find(first.name));
  CHECK_FALSE(keys->find(first.name)->is_current);

  keys->rotate_if_due(later_ms + TicketKeys::kLifetimeMs - 1);
  CHECK(keys->current().name == second.name);
  keys->rotate_if_due(later_ms + TicketKeys::kLifetimeMs);
  CHECK_FALSE(keys->find(first.name));
  CHECK(keys->find(second.name));
}

TEST_CASE("keys that are packed go on with their age", "[ticket_keys]") {
  const auto keys = std::move(*TicketKeys::make());
  const auto again = std::move(*TicketKeys::unpack(keys->pack()));
  CHECK(again->current().name == keys->current().name);
  CHECK(again->current().digest == keys->current().digest);
  CHECK(again->pack() == keys->pack());
  const std::string packed = keys->pack();
  CHECK_FALSE(TicketKeys::unpack(""));
  CHECK_FALSE(TicketKeys::unpack(packed.substr(1)));
  CHECK_FALSE(TicketKeys::unpack(packed + packed));
  const std::string file(80, 'k');
  CHECK((*TicketKeys::make(file))->pack().empty());
}

TEST_CASE("a forked process sees keys that are replaced later", "[ticket_keys]") {
  const auto keys = std::move(*TicketKeys::make());
  const TicketKey before = keys->current();
  int ends[2];
  REQUIRE(::pipe(ends) == 0);
  const pid_t child = ::fork();
  if (child == 0) {
    char byte = 0;
    static_cast<void>(::read(ends[0], &byte, 1));
    ::_exit(keys->current().name != before.name && keys->find(before.name) ? 0 : 1);
  }
  keys->rotate_if_due(~std::uint64_t{0} / 2);
  REQUIRE(::write(ends[1], "x", 1) == 1);
  int status = -1;
  REQUIRE(::waitpid(child, &status, 0) == child);
  CHECK(status == 0);
  ::close(ends[0]);
  ::close(ends[1]);
}

TEST_CASE("of a file's keys the first one seals, and all open", "[ticket_keys]") {
  const std::string file = std::string(80, 'a') + std::string(80, 'b') + std::string(80, 'c');
  const auto keys = std::move(*TicketKeys::make(file));
  CHECK(keys->are_of_file());
  CHECK(keys->are(file));
  CHECK_FALSE(keys->are(file.substr(80)));
  CHECK_FALSE(keys->are(file.substr(0, 160)));
  CHECK(keys->current().name[0] == 'a');
  CHECK(keys->current().digest[31] == 'a');
  for (const char name : {'a', 'b', 'c'}) {
    std::array<unsigned char, 16> wanted{};
    wanted.fill(static_cast<unsigned char>(name));
    const auto found = keys->find(wanted);
    REQUIRE(found);
    CHECK(found->is_current == (name == 'a'));
    CHECK(found->key.cipher[0] == name);
  }
  keys->rotate_if_due(~std::uint64_t{0} / 2);
  CHECK(keys->are(file));
}

TEST_CASE("a place without a key opens nothing", "[ticket_keys]") {
  const std::array<unsigned char, 16> nothing{};
  CHECK_FALSE((*TicketKeys::make())->find(nothing));
  CHECK_FALSE((*TicketKeys::make(std::string(80, 'a')))->find(nothing));
}
