#include "module/router.h"

#include <algorithm>

namespace sluice {

bool Router::add(const std::string& prefix, InstanceRef instance) {
  const std::string name = prefix.substr(0, prefix.size() - 1);
  if (!routes_.emplace(name, std::move(instance)).second) return false;
  longest_ = std::max(longest_, name.size());
  return true;
}

Router::Match Router::find(std::string_view path) const {
  // "/static" asks for the mount "/static/": nothing shorter may answer for it.
  if (path.size() <= longest_ && path.back() != '/') {
    const auto found = routes_.find(path);
    if (found != routes_.end()) return match(*found, true);
  }
  // Each slash may end a prefix; the rightmost one that does wins. No prefix is longer than `longest_` and its
  // slash.
  for (std::size_t end = std::min(path.size(), longest_ + 1); end > 0; --end) {
    if (path[end - 1] != '/') continue;
    const auto found = routes_.find(path.substr(0, end - 1));
    if (found != routes_.end()) return match(*found, false);
  }
  return {};
}

// `mount` is the instance's own copy of the prefix, because requests in flight need it after the route is gone.
Router::Match Router::match(const Routes::value_type& route, bool needs_slash) {
  const InstanceRef& instance = route.second;
  if (!instance) return {nullptr, {}, needs_slash, true};
  return {instance.get(), instance->mount(), needs_slash, false};
}

void Router::clear() {
  routes_.clear();
}

}  // namespace sluice
