// Content that a function of a script gives piece by piece.
#pragma once

#include <sluice/handler.h>

#include <functional>
#include <memory>
#include <optional>
#include <string>

#include "lua/script.h"

namespace sluice::lua {

class ScriptBody final : public Body {
 public:
  using Failed = std::function<void(const std::string& error)>;

  // `after` is called behind each call of the script, with its error or an empty text.
  ScriptBody(std::shared_ptr<Script> script, int stream, Failed after);
  ~ScriptBody() override { script_->drop(stream_); }
  Progress pump(Sink& sink) override;

 private:
  const std::shared_ptr<Script> script_;
  const int stream_;
  const Failed after_;
  std::string piece_;
  std::size_t sent_ = 0;  // of the piece
};

}  // namespace sluice::lua
