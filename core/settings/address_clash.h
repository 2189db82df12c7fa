// Finds addresses of one configuration that cannot be listened on together, although each of them may be free.
// Reads nothing but the symbolic links on the way to Unix sockets.
#pragma once

#include <vector>

#include "base/error.h"
#include "settings/listen_address.h"

namespace sluice {

// `sites` has the addresses of each site. Two names of one site may have the same address. If a name has
// several addresses, one of them that is free is enough.
Result<void> check_together(const std::vector<std::vector<ListenAddress>>& sites);

}  // namespace sluice
