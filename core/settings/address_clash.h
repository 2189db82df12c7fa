// Addresses of one configuration that cannot be listened on together, although each of them may be free. Pure,
// but for the folders of Unix sockets, whose symbolic links are followed.
#pragma once

#include <vector>

#include "base/error.h"
#include "settings/listen_address.h"

namespace sluice {

// `sites`: the addresses of each. A site may have an address twice, by two of its names. Of a name's several
// addresses one is enough.
Result<void> check_together(const std::vector<std::vector<ListenAddress>>& sites);

}  // namespace sluice
