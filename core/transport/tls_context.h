// What all TLS connections of an address share: which name gets which identity, and the keys of session
// tickets. RFC 8446, RFC 5246, RFC 6066; OpenSSL does the work.
//
// Made before the worker serves, then read-only. Loop thread, but for what OpenSSL itself shares with threads.
#pragma once

#include <memory>
#include <string>
#include <string_view>
#include <vector>

#include "base/error.h"
#include "base/kept_memory.h"
#include "base/ticket_keys.h"
#include "settings/served_address.h"
#include "transport/tls_identities.h"

namespace sluice {

class TlsContext {
 public:
  // The error names a file and a remedy. `identities` and `plan` live longer.
  static Result<std::unique_ptr<TlsContext>> create(const ServingPlan& plan, const ServedAddress& address,
                                                    TlsIdentities& identities);
  TlsContext(const TlsContext&) = delete;
  TlsContext& operator=(const TlsContext&) = delete;

  // Of clients that ask for no name.
  const TlsIdentity& nameless() const { return *nameless_; }
  // Null if nobody here has the name.
  const TlsIdentity* find(std::string_view host) const;
  const TicketKeys& ticket_keys() const { return *ticket_keys_; }
  // Whether the kernel is to make the records, where it can.
  bool uses_kernel() const { return uses_kernel_; }
  // Records on their way from OpenSSL to a socket, within one call on the loop. A call begins with fresh ones,
  // since one that ran out of memory has left its own.
  std::string& records() { return records_; }
  std::string& fresh_records() {
    records_.clear();
    return records_;
  }
  void forget_records() {
    records_.clear();
    give_back_above(records_, kRecordsKept);
  }

 private:
  explicit TlsContext(const ServingPlan& plan)
      : ticket_keys_(plan.ticket_keys), uses_kernel_(plan.settings.kernel_tls) {}
  Result<void> add(const SitePlan& site, const std::string& name, TlsIdentities& identities);

  std::shared_ptr<const TicketKeys> ticket_keys_;
  bool uses_kernel_;
  const TlsIdentity* nameless_ = nullptr;
  SiteNames names_;  // of identities_
  std::vector<const TlsIdentity*> identities_;
  static constexpr std::size_t kRecordsKept = 256 * 1024;
  std::string records_;
};

}  // namespace sluice
