// What the test modules "ledger" and "filters" have made, destroyed and seen; requests for them carry the
// address of one of these as their query.
#pragma once

#include <sluice/abi.h>

#include <string>

namespace sluice::test {

struct Ledger {
  int made = 0;
  int destroyed = 0;
  // Of the filters, in order: "a?" when the filter with the label a is asked, "a!" when it sees the answer,
  // "a." at the end; "h." when the ledger is told of an end.
  std::string filters;
  Outcome outcome{};  // the last
};

}  // namespace sluice::test
