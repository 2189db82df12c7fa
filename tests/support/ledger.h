// What the test module "ledger" has made and destroyed; its requests carry the address of one of these as their
// query.
#pragma once

namespace sluice::test {

struct Ledger {
  int made = 0;
  int destroyed = 0;
};

}  // namespace sluice::test
