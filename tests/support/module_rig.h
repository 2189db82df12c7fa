// A module under test: loads its .so as the server would, makes its Shared and its handlers, and drives
// requests through them.
//
//     ModuleRig rig(SLUICE_TEST_PLUGINS "/hello.so");
//     rig.mount("/tmp/site", {{"index", "home.html"}});
//     auto answer = rig.get("a.txt");
//
// One thread. When the rig ends, it waits for work under way, and aborts the test if the module has broken
// the contract: see FakeServer.
#pragma once

#include <sluice/module.h>

#include <map>
#include <memory>
#include <string>
#include <vector>

#include "support/fake_exchange.h"
#include "support/fake_host.h"

#if defined(__SANITIZE_ADDRESS__) || defined(__SANITIZE_THREAD__)
#define SLUICE_TEST_SANITIZED 1
#endif

namespace sluice::test {

using Answer = std::unique_ptr<FakeExchange>;

class ModuleRig {
 public:
  explicit ModuleRig(const std::string& module_path);
  ~ModuleRig();

  // Makes one more handler, or filter, and returns its number. `folder` may be empty. If the module refuses,
  // throws std::runtime_error with its sentence.
  std::size_t mount(const std::string& folder, const std::map<std::string, std::string>& options = {},
                    const std::string& folder_path = {});

  // Begins a request. `server.run_until` continues it.
  Answer start(RequestPlan plan, std::size_t handler = 0);
  // Begins a request and runs it to its end. Throws std::runtime_error when that takes too long.
  Answer run(RequestPlan plan, std::size_t handler = 0);
  Answer get(const std::string& path, std::size_t handler = 0);
  // Calls retire() on the handlers and on the Shared.
  void retire();
  // Calls leaving() on the handlers.
  void leave();

  const ModuleInfo& info() const { return *info_; }
  FakeServer server;

 private:
  struct Mounted {
    std::unique_ptr<FakeHost> host;
    std::unique_ptr<Handler> handler;  // or
    std::unique_ptr<Filter> filter;
    int folder_fd = -1;
  };

  std::map<std::string, std::string> option_values(const std::map<std::string, std::string>& given) const;

  const std::string path_;
  void* mapping_ = nullptr;
  const ModuleInfo* info_ = nullptr;
  std::unique_ptr<FakeHost> shared_host_;
  std::unique_ptr<Shared> shared_;
  std::vector<Mounted> mounted_;
};

}  // namespace sluice::test
