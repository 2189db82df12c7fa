// Which handler answers a path: the one with the longest mount prefix. Loop thread; holds each instance.
#pragma once

#include <string>
#include <string_view>
#include <unordered_map>
#include <vector>

#include "module_instance.h"

namespace sluice {

class Router {
 public:
  struct Match {
    ModuleInstance* instance = nullptr;
    std::string_view mount;    // "/static/"; lives as long as the instance
    bool needs_slash = false;  // the path is a mount's prefix without its last slash
  };

  // False when the prefix is taken. REQUIRES: it begins and ends with '/'.
  bool add(const std::string& prefix, InstanceRef instance);
  bool has(std::string_view prefix) const { return routes_.find(prefix) != routes_.end(); }
  // `path` as judge_target makes it. Without an instance, nothing is mounted there.
  Match find(std::string_view path) const;
  // All instances, in the order they were added.
  const std::vector<InstanceRef>& instances() const { return instances_; }
  void clear();

 private:
  struct Hash : std::hash<std::string_view> {
    using is_transparent = void;
  };
  std::unordered_map<std::string, ModuleInstance*, Hash, std::equal_to<>> routes_;
  std::vector<InstanceRef> instances_;
  std::size_t longest_ = 0;  // of all prefixes, in bytes
};

}  // namespace sluice
