#include "settings/ticket_key_file.h"

#include <fmt/core.h>

#include "settings/certificate.h"

namespace sluice {

Result<SecretBytes> read_ticket_keys(const std::string& path) {
  const std::string what = "the file of ticket keys";
  const std::string remedy = "make one with: openssl rand 80 > " + path;
  auto bytes = read_secret_file(path, what, remedy);
  if (!bytes) return bytes;
  const std::size_t size = bytes->view().size();
  if (size % sizeof(TicketKey) == 0 && size / sizeof(TicketKey) <= TicketKeys::kKeysMax) return bytes;
  return fail(fmt::format("{} {} has {} bytes, but 1 to {} keys have {} bytes each: {}", what, path, size,
                          TicketKeys::kKeysMax, sizeof(TicketKey), remedy));
}

Result<std::shared_ptr<TicketKeys>> plan_ticket_keys(const std::string& path,
                                                     const std::shared_ptr<TicketKeys>& before) {
  if (path.empty()) return before != nullptr && !before->are_of_file() ? before : TicketKeys::make();
  const auto bytes = read_ticket_keys(path);
  if (!bytes) return Unexpected(bytes.error());
  return before != nullptr && before->are(bytes->view()) ? before : TicketKeys::make(bytes->view());
}

}  // namespace sluice
