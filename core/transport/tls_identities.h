// Makes the identities of a worker's sites of their certificates. OpenSSL does the work.
//
// Before the worker serves; one thread. Owns the identities.
#pragma once

#include <map>
#include <memory>
#include <string>
#include <tuple>
#include <utility>
#include <vector>

#include "base/error.h"
#include "settings/serving_plan.h"
#include "transport/tls_identity.h"

namespace sluice {

// Names with the same certificates and demands share one.
class TlsIdentities {
 public:
  // `plan` lives longer.
  explicit TlsIdentities(const ServingPlan& plan);
  ~TlsIdentities();
  TlsIdentities(const TlsIdentities&) = delete;
  TlsIdentities& operator=(const TlsIdentities&) = delete;

  // For a name of the site, or for all others if it is empty: with those of the site's certificates that are
  // for the name, or with all of them if none is. The error names a file and a remedy.
  Result<const TlsIdentity*> of(const SitePlan& site, const std::string& name);

 private:
  struct Parsed;

  Result<const Parsed*> parse(std::size_t certificate);
  Result<std::vector<std::size_t>> fitting(const SitePlan& site, const std::string& name);
  // Certificates, the demands on clients, and whether HTTP/2 is offered.
  using Key = std::tuple<std::vector<std::size_t>, std::string, bool>;
  Result<std::unique_ptr<TlsIdentity>> make(const SitePlan& site, const Key& key);

  const ServingPlan& plan_;
  std::map<std::size_t, std::unique_ptr<Parsed>> parsed_;  // by the index in ServingPlan::certificates
  std::map<Key, std::unique_ptr<TlsIdentity>> made_;
};

}  // namespace sluice
