// Tells why a request is answered as it is, if somebody listens: `sluice explain`, or the log at the level
// debug. Loop thread.
#pragma once

#include <sluice/handler.h>

namespace sluice::files {

// `make` gives a text without a subject, as in "answers 403: the address is not in allow".
template <typename Make>
void explain(Exchange& exchange, Make make) {
  if (exchange.is_explained()) exchange.explain(make());
}

}  // namespace sluice::files
