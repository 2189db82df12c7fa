#include "server/explained_workers.h"

#include <fmt/core.h>
#include <algorithm>
#include <optional>
#include <string>
#include <string_view>

namespace sluice {
namespace {

bool listens_at(const WorkerGroup& workers, std::size_t group, std::uint16_t port) {
  const auto& addresses = workers.plan().groups[group].addresses;
  if (std::any_of(addresses.begin(), addresses.end(),
                  [&](const ServedAddress& address) { return port_of(address.at) == port; }))
    return true;
  // The kernel has chosen the port of some.
  const std::vector<std::string> urls = workers.urls(group);
  const std::string ending = fmt::format(":{}", port);
  return std::any_of(urls.begin(), urls.end(), [&](const std::string& url) { return url.ends_with(ending); });
}

// Of a request at "/docs", too, which is redirected to "/docs/".
bool is_prefix(const std::string& prefix, std::string_view path) {
  return path.starts_with(prefix) || (prefix.ends_with('/') && path == prefix.substr(0, prefix.size() - 1));
}

std::size_t group_for(const ExplainQuery& query, const WorkerGroup& workers) {
  const ServingPlan& plan = workers.plan();
  for (std::size_t group = 0; query.port != 0 && group < plan.groups.size(); ++group) {
    if (listens_at(workers, group, query.port)) return group;
  }
  const std::string_view path = std::string_view(query.target).substr(0, query.target.find('?'));
  std::size_t longest = 0;
  for (const MountReport& mount : workers.mounts()) {
    if (!mount.filter && is_prefix(mount.prefix, path)) longest = std::max(longest, mount.prefix.size());
  }
  std::size_t found = 0;
  for (std::size_t group = 1; group < plan.groups.size(); ++group) {
    const std::string& prefix = plan.mounts[*plan.groups[group].mount].spec.prefix;
    if (prefix.size() <= longest || !is_prefix(prefix, path)) continue;
    longest = prefix.size();
    found = group;
  }
  return found;
}

}  // namespace

std::vector<WorkerProcess*> workers_for(const ExplainQuery& query, const WorkerGroup& workers) {
  return workers.workers_of(group_for(query, workers));
}

}  // namespace sluice
