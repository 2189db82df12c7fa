// The content of an answer behind the transform of a filter. It pulls what is inside, a module's body, bytes,
// or the content behind another transform, as far as the transform takes it.
//
// Owns the transform and what is inside, except bytes. Loop thread.
#pragma once

#include <sluice/filter.h>

#include <memory>
#include <string>
#include <string_view>

#include "module/module_owned.h"

namespace sluice {

class TransformedContent {
 public:
  // The input that waits for the transform. filter.h promises it.
  static constexpr std::size_t kInputMax = 16 * 1024;
  // Taken from inside in one pump, so that a transform that writes little does not hold the loop.
  static constexpr std::size_t kPumpMax = 256 * 1024;

  // `bytes` outlive this.
  TransformedContent(std::string_view bytes, ModuleOwned<Transform> transform)
      : bytes_(bytes), left_(bytes.size()), transform_(std::move(transform)) {}
  // What is inside has declared `size`, or kUnknownSize.
  TransformedContent(ModuleOwned<Body> body, std::uint64_t size, ModuleOwned<Transform> transform)
      : body_(std::move(body)), left_(size), transform_(std::move(transform)) {}
  TransformedContent(std::unique_ptr<TransformedContent> inner, std::uint64_t size,
                     ModuleOwned<Transform> transform)
      : inner_(std::move(inner)), left_(size), transform_(std::move(transform)) {}

  // As Body::pump.
  Progress pump(Sink& sink);
  // The module has resumed the exchange: what it has parked goes on with the next pump. false if nothing here
  // is of the module.
  bool wake(const ModuleInstance& module);
  // Of the transform.
  ModuleInstance& instance() const { return transform_.instance(); }
  // The module for which the content waits; null if the content is bytes of an answer.
  ModuleInstance* waits_for() const;
  // Whether the last pump has failed because a module threw.
  bool threw() const { return threw_ || (inner_ != nullptr && inner_->threw()); }

 private:
  class InputSink;
  // Fills input_. Returns how the pump of what is inside has ended. Trailers go to `outer`.
  Progress fill(Sink& outer);
  Progress pump_inside(Sink& sink);
  // Lets the transform take of input_.
  Passed pass(Sink& sink);
  // What is inside has written more or less than it had declared.
  Progress break_contract(std::string_view what);

  std::string_view bytes_;
  ModuleOwned<Body> body_;
  std::unique_ptr<TransformedContent> inner_;
  std::uint64_t left_;  // what is inside has still to write so much; kUnknownSize if it has declared nothing
  ModuleOwned<Transform> transform_;
  std::string input_;
  Progress inside_ = Progress::more;  // how the last pump of what is inside has ended
  bool parked_ = false;               // the transform waits to be resumed
  bool inside_woken_ = false;         // since the last call of it
  bool woken_ = false;                // the transform, since the last call of it
  bool threw_ = false;
};

}  // namespace sluice
