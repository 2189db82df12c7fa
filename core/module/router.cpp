#include "module/router.h"

#include <algorithm>

namespace sluice {

Router::Site& Router::site_at(std::size_t site) {
  if (site >= sites_.size()) sites_.resize(site + 1);
  return sites_[site];
}

void Router::add_filter(std::size_t site, const std::string& prefix, InstanceRef instance) {
  site_at(site).filters.push_back({prefix, std::move(instance)});
}

std::span<const Router::FilterPlace> Router::filters(std::size_t site) const {
  if (site >= sites_.size()) return {};
  return sites_[site].filters;
}

bool Router::add(std::size_t site, const std::string& prefix, InstanceRef instance) {
  const std::string name = prefix.substr(0, prefix.size() - 1);
  Site& added_to = site_at(site);
  if (!added_to.routes.emplace(name, std::move(instance)).second) return false;
  added_to.longest = std::max(added_to.longest, name.size());
  return true;
}

Router::Match Router::find(std::size_t site, std::string_view path) const {
  if (site >= sites_.size()) return {};
  const Routes& routes = sites_[site].routes;
  const std::size_t longest = sites_[site].longest;
  // "/static" asks for the mount "/static/": nothing shorter may answer for it.
  if (path.size() <= longest && path.back() != '/') {
    const auto found = routes.find(path);
    if (found != routes.end()) return match(*found, true);
  }
  // Each slash may end a prefix; the rightmost one that does wins. No prefix is longer than `longest` and its
  // slash.
  for (std::size_t end = std::min(path.size(), longest + 1); end > 0; --end) {
    if (path[end - 1] != '/') continue;
    const auto found = routes.find(path.substr(0, end - 1));
    if (found != routes.end()) return match(*found, false);
  }
  return {};
}

// `mount` is the instance's own copy of the prefix, because requests in flight need it after the route is gone.
Router::Match Router::match(const Routes::value_type& route, bool needs_slash) {
  const InstanceRef& instance = route.second;
  if (!instance) return {nullptr, {}, needs_slash, true};
  return {instance.get(), instance->mount(), needs_slash, false};
}

void Router::tell_leaving(Leaving why) const {
  for (const Site& site : sites_) {
    for (const auto& [name, instance] : site.routes) {
      if (instance) instance->leave(why);
    }
  }
}

void Router::clear() {
  sites_.clear();
}

}  // namespace sluice
