// Takes what is decided about requests, and by whom: `sluice explain` shows it, and the log has it at the level
// debug. Without a listener nobody makes these texts. Loop thread.
#pragma once

#include <string>
#include <string_view>

#include "module/module_instance.h"

namespace sluice {

struct Decision {
  const ModuleInstance* by;  // a filter or handler; null: the server
  std::string_view what;     // without a subject: "answers 404"
};

class Decisions {
 public:
  // The views end with the call.
  virtual void decided(const Decision& decision) = 0;

 protected:
  ~Decisions() = default;
};

// "server", or "hello at /hello/, generation 2".
std::string name_of_decider(const ModuleInstance* by);

// Writes them into the log.
class LoggedDecisions final : public Decisions {
 public:
  void decided(const Decision& decision) override;
};

}  // namespace sluice
