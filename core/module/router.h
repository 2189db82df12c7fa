// Finds the handler that answers a path of a site: the one with the longest mount prefix. And finds the filters
// that stand before it. Loop thread; holds each instance.
#pragma once

#include <span>
#include <string>
#include <string_view>
#include <unordered_map>
#include <vector>

#include "module/module_instance.h"

namespace sluice {

class Router {
 public:
  struct Match {
    ModuleInstance* instance = nullptr;
    std::string_view mount;    // "/static/"; lives as long as the instance; empty if the mount is closed
    bool needs_slash = false;  // the path is a mount's prefix without its last slash
    bool closed = false;       // a module is mounted there that must not be called
  };

  // false if the prefix is taken. Without an instance the mount is closed. REQUIRES: `prefix` begins and ends
  // with '/'.
  bool add(std::size_t site, const std::string& prefix, InstanceRef instance);
  // REQUIRES: judge_target made `path`. If nothing is mounted there, the match has no instance and is not
  // closed. Allocates nothing.
  Match find(std::size_t site, std::string_view path) const;
  void clear();

  // A filter of a site. Its index stays the same as long as the worker lives, also when its module is swapped.
  struct FilterPlace {
    std::string prefix;    // begins and ends with '/'
    InstanceRef instance;  // empty if the place is closed
    // A path without the prefix' last slash lies there as well.
    bool covers(std::string_view path) const {
      return path.starts_with(prefix) || path == std::string_view(prefix).substr(0, prefix.size() - 1);
    }
  };
  // Behind the filters of the site that were added before. The instance is empty if the place is closed.
  void add_filter(std::size_t site, const std::string& prefix, InstanceRef instance);
  // Tells all handlers that the worker is about to end.
  void tell_leaving(Leaving why) const;
  // In the order in which they were added. The view is valid until a change.
  std::span<const FilterPlace> filters(std::size_t site) const;

 private:
  struct Hash : std::hash<std::string_view> {
    using is_transparent = void;
  };
  // By prefix without its last slash, so that a path without that slash is found as well.
  using Routes = std::unordered_map<std::string, InstanceRef, Hash, std::equal_to<>>;
  struct Site {
    Routes routes;
    std::vector<FilterPlace> filters;
    std::size_t longest = 0;  // of all prefixes without their last slashes, in bytes
  };
  Site& site_at(std::size_t site);
  static Match match(const Routes::value_type& route, bool needs_slash);

  std::vector<Site> sites_;
};

}  // namespace sluice
