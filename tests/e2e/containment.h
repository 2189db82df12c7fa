// Servers whose workers are made to end, and asked until they serve again.
#pragma once

#include <filesystem>
#include <stdexcept>
#include <string>
#include <vector>

#include "support/server_process.h"

namespace sluice::test {

inline void put(const Site& site, const std::string& file, const std::string& module) {
  std::filesystem::copy_file(module_file(module), site.plugins() + "/" + file,
                             std::filesystem::copy_options::overwrite_existing);
}

// Sends a request that ends the worker, and does not expect an answer.
inline void provoke(const Endpoint& endpoint, const std::string& target) {
  try {
    fetch(endpoint, target);
  } catch (const std::runtime_error&) {
  }
}

inline bool answers(const ServerProcess& server, const std::string& target, int status) {
  return eventually([&] {
    try {
      return fetch(server.endpoint(), target).status == status;
    } catch (const std::runtime_error&) {
      return false;
    }
  });
}

inline std::vector<std::string> options(const std::vector<std::string>& more,
                                        const std::string& fault_limit = "2") {
  std::vector<std::string> all{"--swap-quiet", "20ms", "--fault-limit", fault_limit};
  all.insert(all.end(), more.begin(), more.end());
  return all;
}

// Whether all workers answer so, as far as twenty connections in a row can tell.
inline bool all_answer(const ServerProcess& server, const std::string& target, int status,
                       const std::string& body = "") {
  return eventually([&] {
    for (int i = 0; i < 20; ++i) {
      try {
        const HttpAnswer answer = fetch(server.endpoint(), target);
        if (answer.status != status || (!body.empty() && answer.body != body)) return false;
      } catch (const std::runtime_error&) {
        return false;
      }
    }
    return true;
  });
}

// Provokes again and again until the log has that text.
inline bool crashes_until(const ServerProcess& server, const std::string& target, const std::string& log) {
  return eventually([&] {
    provoke(server.endpoint(), target);
    return server.log().find(log) != std::string::npos;
  });
}

}  // namespace sluice::test
