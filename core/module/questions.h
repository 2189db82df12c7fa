// The way of modules' questions about the whole server. The worker implements it: it asks the supervisor. Loop
// thread.
#pragma once

#include <string_view>

namespace sluice {

class Questions {
 public:
  class Asker {
   public:
    // Called once, not within `ask`. May destroy the asker. The view ends with the call.
    virtual void answered(bool known, std::string_view text) = 0;

   protected:
    ~Asker() = default;
  };

  // False if the question is not known, or too many wait: `asker` is not answered then.
  virtual bool ask(std::string_view question, Asker& asker) = 0;
  // The asker is not answered any more. Harmless if it has been.
  virtual void forget(const Asker& asker) = 0;

 protected:
  ~Questions() = default;
};

}  // namespace sluice
