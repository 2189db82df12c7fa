#include "router.h"

#include <algorithm>

namespace sluice {

bool Router::add(const std::string& prefix, InstanceRef instance) {
  if (!routes_.emplace(prefix, instance.get()).second) return false;
  instances_.push_back(std::move(instance));
  longest_ = std::max(longest_, prefix.size());
  return true;
}

Router::Match Router::find(std::string_view path) const {
  // "/static" asks for the mount "/static/": nothing shorter may answer for it.
  if (path.size() < longest_ && path.back() != '/') {
    const auto found = routes_.find(std::string(path) + '/');
    if (found != routes_.end()) return {found->second, found->first, true};
  }
  // Each slash may end a prefix; the rightmost one that does wins. No prefix is longer than `longest_`.
  for (std::size_t end = std::min(path.size(), longest_); end > 0; --end) {
    if (path[end - 1] != '/') continue;
    const auto found = routes_.find(path.substr(0, end));
    if (found != routes_.end()) return {found->second, found->first, false};
  }
  return {};
}

void Router::clear() {
  routes_.clear();
  instances_.clear();
}

}  // namespace sluice
