// An object that a module made for a request and gave to the server. It is called and destroyed inside that
// module, as a call for that request.
//
// Loop thread. The instance and the request outlive it.
#pragma once

#include <memory>
#include <utility>

#include "module/module_instance.h"

namespace sluice {

template <typename Object>
class ModuleOwned {
 public:
  ModuleOwned() = default;
  ModuleOwned(std::unique_ptr<Object> object, ModuleInstance& instance, const HandledRequest& request)
      : object_(std::move(object)), instance_(&instance), request_(&request) {}
  ModuleOwned(ModuleOwned&&) noexcept = default;
  ModuleOwned& operator=(ModuleOwned&& other) noexcept {
    reset();
    object_ = std::move(other.object_);
    instance_ = other.instance_;
    request_ = other.request_;
    return *this;
  }
  ~ModuleOwned() { reset(); }

  explicit operator bool() const { return object_ != nullptr; }
  // REQUIRES: there is an object.
  ModuleInstance& instance() const { return *instance_; }
  bool is_of(const ModuleInstance& module) const { return object_ != nullptr && instance_->is_of_file(module); }
  void reset() noexcept {
    if (object_ != nullptr) instance_->call([this] { object_.reset(); }, request_);
  }
  // false when `enter` threw. REQUIRES: there is an object.
  template <typename Call>
  bool call(Call&& enter) noexcept {
    return instance_->call([&] { enter(*object_); }, request_);
  }

 private:
  std::unique_ptr<Object> object_;
  ModuleInstance* instance_ = nullptr;
  const HandledRequest* request_ = nullptr;
};

}  // namespace sluice
