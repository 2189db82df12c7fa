// A handler made of routes, each answered by a method:
//
//     class Items : public kit::Service {
//      public:
//       explicit Items(sluice::Host& host) : Service(host) {
//         on("GET", "items/{id}", &Items::get);
//       }
//       void get(kit::Call& call);       // or: kit::Flow get(kit::Call& call)
//     };
//
// Requests that have no route are answered by the service: 404, 405 with Allow, and OPTIONS. The loop's thread.
#pragma once

#include <sluice/handler.h>
#include <sluice/kit/call.h>
#include <sluice/kit/router.h>

#include <functional>
#include <string_view>
#include <utility>

namespace sluice::kit {

class Service : public Handler {
 public:
  explicit Service(Host& host, Errors errors = Errors::problems) : host_(host), errors_(errors) {}

  void handle(Exchange& exchange) override {
    auto found = router_.find(exchange.request());
    if (found.action != nullptr) return (*found.action)(exchange, std::move(found.parameters));
    if (!found.allow.empty()) exchange.field("Allow", found.allow);
    if (found.status == 204) return send(exchange, 204, {}, {});
    refuse(exchange, {found.status}, errors_);
  }

 protected:
  // While being created. `method` is one of the class that derives from this one, and is called with a Call&.
  // What `pattern` may be, router.h says.
  template <typename Self, typename Returned>
  void on(std::string_view name, std::string_view pattern, Returned (Self::*method)(Call&)) {
    Self* const self = static_cast<Self*>(this);
    router_.on(name, pattern, [this, self, method](Exchange& exchange, PathParameters parameters) {
      answer_by(
          host_, exchange, [self, method](Call& call) { return (self->*method)(call); }, std::move(parameters),
          errors_);
    });
  }
  Host& host() const { return host_; }

 private:
  Host& host_;
  const Errors errors_;
  Router<std::function<void(Exchange&, PathParameters)>> router_;
};

}  // namespace sluice::kit
