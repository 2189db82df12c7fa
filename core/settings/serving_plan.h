// Everything that a worker needs to begin, except its modules: settings with their folders opened.
//
// The supervisor makes it, because workers may not have the right to open the folders. It is read-only
// afterwards, and forked workers share it.
#pragma once

#include <memory>
#include <optional>
#include <set>
#include <string>
#include <vector>

#include "base/client_counts.h"
#include "base/ticket_keys.h"
#include "base/unique_fd.h"
#include "settings/certificate.h"
#include "settings/confined_places.h"
#include "settings/served_address.h"
#include "settings/settings.h"
#include "settings/site_plan.h"
#include "settings/user.h"

namespace sluice {

struct MountFolder {
  int fd = -1;           // SitePlan::root, or one of ServingPlan::folders
  std::string path;      // below `fd`; empty or ending in '/'
  std::string root{};    // the path of `fd`, as it is written in the settings, made absolute
  std::string folder{};  // the same for root=DIR, if DIR lies below the site's root
};

// A mount, or the place of a filter.
struct SiteMount {
  std::size_t site = 0;  // of ServingPlan::sites
  MountSpec spec;
  MountFolder folder = {};
};

// Workers that serve the same addresses.
struct ServingGroup {
  std::vector<ServedAddress> addresses;
  unsigned workers = 1;
  std::optional<std::size_t>
      mount{};           // the only mount, of ServingPlan::mounts; nullopt: all that are not isolated
  std::size_t site = 0;  // of that mount, whose filters stand before it

  bool has(std::size_t index, const SiteMount& plan) const {
    if (!mount) return !plan.spec.isolate;
    return *mount == index || (plan.spec.filter && plan.site == site);
  }
};

struct ServingPlan {
  Settings settings;
  std::vector<SitePlan> sites;
  std::vector<SiteMount> mounts;     // and filters, of all sites, one site after the other
  std::vector<ServingGroup> groups;  // first the group of all sites, then one for each isolated mount
  std::optional<User> user;
  std::vector<UniqueFd> folders;          // of mounts outside their sites' roots
  std::vector<ConfinedPlace> places;      // that confined workers read
  std::vector<Certificate> certificates;  // of all sites; empty if no address has TLS
  std::vector<std::string> access_logs;   // of all sites, each once: a file's absolute path, or kStdout
  static constexpr std::size_t kAccessLogPathsMax = 60 * 1024;  // of all of them together
  std::shared_ptr<TicketKeys> ticket_keys;                      // null if no address has TLS
  std::shared_ptr<ClientCounts> client_counts;  // of all workers; null if clients have no limits

  bool has_tls() const { return !certificates.empty(); }
};

// The paths of all places that a plan's workers read, if their files are confined: as the settings name them,
// and as the disks are now.
std::set<std::string> confined_paths(const ServingPlan& plan);
using PlanPtr = std::shared_ptr<const ServingPlan>;

// Opens the folders, and reads the certificates. The plan that it replaces passes on what must not change with
// a reload. The error has a line for each mistake.
Result<PlanPtr> make_plan(const Settings& settings, const ServingPlan* before = nullptr);

}  // namespace sluice
