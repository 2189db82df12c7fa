#include "exchange/exchange_notes.h"

#include <catch2/catch.hpp>
#include <string>

using sluice::ExchangeNotes;

TEST_CASE("a note is what was noted last", "[exchange_notes]") {
  ExchangeNotes notes;
  CHECK(notes.get("user").empty());
  CHECK(notes.set("user", "ann"));
  CHECK(notes.set("role", "editor"));
  CHECK(notes.set("user", "bob"));
  CHECK(notes.get("user") == "bob");
  CHECK(notes.get("role") == "editor");
  CHECK(notes.set("user", ""));
  CHECK(notes.get("user").empty());
  notes.clear();
  CHECK(notes.get("role").empty());
}

TEST_CASE("all notes together are bounded", "[exchange_notes]") {
  ExchangeNotes notes;
  CHECK(notes.set("a", std::string(ExchangeNotes::kSizeMax - 1, 'x')));
  CHECK_FALSE(notes.set("b", "y"));
  CHECK(notes.get("b").empty());
  CHECK(notes.set("a", "short"));
  CHECK(notes.set("b", "y"));
  CHECK_FALSE(notes.set("a", std::string(ExchangeNotes::kSizeMax, 'x')));
  CHECK(notes.get("a") == "short");
}
