// The file with keys of session tickets that several hosts share: 80 bytes for each key, as `openssl rand 80`
// makes them. Reading it may need root rights, so the supervisor does it.
#pragma once

#include <memory>
#include <string>

#include "base/error.h"
#include "base/secret_bytes.h"
#include "base/ticket_keys.h"

namespace sluice {

// The bytes of 1 to 3 keys. The error says what to do.
Result<SecretBytes> read_ticket_keys(const std::string& path);

// Keys of the file or, without a path, of the server's own. Those in force until now, or null, are taken again
// if they are the same: their memory is shared with workers that serve.
Result<std::shared_ptr<TicketKeys>> plan_ticket_keys(const std::string& path,
                                                     const std::shared_ptr<TicketKeys>& before);

}  // namespace sluice
