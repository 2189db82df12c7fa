// Answers by a script of Lua, which may be changed while the server runs.
#include <sluice/kit/call.h>
#include <sluice/module.h>

#include <memory>
#include <stdexcept>
#include <string>
#include <utility>

#include "common/explain.h"
#include "common/files/destroy_on_thread.h"
#include "common/files/followed_file.h"
#include "common/http/text.h"
#include "lua/script.h"
#include "lua/script_body.h"

namespace {

namespace kit = sluice::kit;

using sluice::Exchange;
using sluice::Host;
using sluice::LogLevel;
using sluice::OptionType;
using sluice::lua::Script;
using sluice::lua::ScriptAnswer;
using sluice::lua::ScriptLimits;

constexpr sluice::files::FileKind kKind{"a file of Lua", "write it, or name another file", 1};

ScriptLimits limits_of(const Host& host) {
  ScriptLimits limits;
  limits.time_ms = host.number("time_max");
  limits.memory_max = host.number("memory_max");
  if (host.number("trusted") != 0) limits.trust = sluice::lua::Trust::full;
  if (limits.time_ms == 0) throw std::runtime_error("the option time_max is 0, so no script could answer");
  if (limits.memory_max < (1 << 20))
    throw std::runtime_error("the option memory_max has less than 1M, so no script could answer");
  return limits;
}

std::string path_of(const Host& host) {
  std::string path(std::string_view(host.option("script")));
  if (path.empty())
    throw std::runtime_error("it has no script: name a file of Lua, as in script=/etc/sluice/greet.lua");
  return path;
}

struct PerWorker final : sluice::Shared {
  explicit PerWorker(Host& host) : watches(host) {}
  void retire() override { watches.close(); }

  sluice::files::FileWatches watches;
};

class Lua final : public sluice::Handler, private sluice::files::FileFollower {
 public:
  using PerWorker = ::PerWorker;

  explicit Lua(Host& host)
      : host_(host),
        path_(path_of(host)),
        limits_(limits_of(host)),
        body_max_(host.number("body_max")),
        failed_(host.counter("failed")),
        loaded_(host.counter("loaded")),
        file_(host, static_cast<PerWorker&>(*host.shared()).watches, path_, kKind, *this) {
    file_.begin();
  }

  void handle(Exchange& exchange) override {
    if (exchange.request().body_size == 0) return answer(exchange, {});
    kit::answer_by(host_, exchange, [this](kit::Call& call) { return answer_with_content(call); });
  }
  void retire() override { file_.close(); }

 private:
  class Change;

  std::unique_ptr<sluice::files::FileChange> begin_change() override;
  void refuse_change(const std::string& mistake) override {
    host_.log(LogLevel::error, "the script stays as it was: " + mistake);
  }

  kit::Flow answer_with_content(kit::Call& call) {
    const std::string content = co_await call.body(body_max_);
    answer(call.exchange(), content);
  }
  void answer(Exchange& exchange, std::string_view content);
  void give(Exchange& exchange, ScriptAnswer& answer);
  // What a call of the script has left: lines, and an error.
  void settle(Script& script, const std::string& error, const char* consequence) {
    for (const std::string& line : script.take_printed()) host_.log(LogLevel::info, path_ + " says: " + line);
    if (error.empty()) return;
    host_.count(failed_, 1);
    host_.log(LogLevel::error, "the script " + path_ + " has failed, so " + consequence + ": " + error);
  }

  Host& host_;
  const std::string path_;
  const ScriptLimits limits_;
  const std::uint64_t body_max_;
  const std::uint32_t failed_;
  const std::uint32_t loaded_;
  std::shared_ptr<Script> script_;  // streams of former ones have them, too
  sluice::files::FollowedFile file_;
};

// A script that is tried, and takes the place of the present one.
class Lua::Change final : public sluice::files::FileChange {
 public:
  explicit Change(Lua& lua) : lua_(lua), path_(lua.path_), limits_(lua.limits_) {}
  void prepare(const std::string& text) override { script_ = std::make_shared<Script>(path_, text, limits_); }
  void take() override {
    lua_.settle(*script_, {}, "");
    lua_.host_.count(lua_.loaded_, 1);
    const std::shared_ptr<Script> former = std::exchange(lua_.script_, std::move(script_));
    if (former == nullptr) return;
    lua_.host_.log(LogLevel::info, "the script " + path_ + " has changed, and answers from now on");
    sluice::files::destroy_on_thread(lua_.host_, former);
  }

 private:
  Lua& lua_;
  const std::string path_;
  const ScriptLimits limits_;
  std::shared_ptr<Script> script_;
};

std::unique_ptr<sluice::files::FileChange> Lua::begin_change() {
  return std::make_unique<Change>(*this);
}

void Lua::answer(Exchange& exchange, std::string_view content) {
  const std::string client(std::string_view(exchange.client_address()));
  ScriptAnswer answer;
  const std::string error = script_->call({exchange.request(), client, content}, answer);
  settle(*script_, error, "the answer is 500");
  if (!error.empty()) {
    sluice::files::explain(exchange, [&] { return "answers 500, because its script has failed: " + error; });
    return exchange.fail(500);
  }
  give(exchange, answer);
}

void Lua::give(Exchange& exchange, ScriptAnswer& answer) {
  bool has_type = false;
  for (const auto& [name, value] : answer.fields) {
    has_type = has_type || sluice::files::equals_ignoring_case(name, "Content-Type");
    exchange.field(name, value);
  }
  if (!answer.hand_over.empty()) return exchange.hand_over(answer.hand_over);
  const bool has_page = answer.content || answer.stream;
  if (!has_page && answer.status >= 300) return exchange.fail(answer.status);
  if (has_page && !has_type) exchange.field("Content-Type", "text/plain; charset=utf-8");
  exchange.status(answer.status);
  if (!answer.stream) return exchange.send(answer.content.value_or(""));
  const std::shared_ptr<Script> script = script_;
  const auto after = [this, script = script.get()](const std::string& error) {
    settle(*script, error, "an answer is cut off");
  };
  exchange.stream(sluice::kUnknownSize, new sluice::lua::ScriptBody(script, *answer.stream, after));
}

constexpr sluice::OptionInfo kOptions[] = {
    {"script", OptionType::text, 0, "", "the Lua FILE that answers; a changed file is taken while serving",
     nullptr},
    {"time_max", OptionType::duration_ms, 0, "50ms",
     "processor time of one call; a worker serves nobody else meanwhile", nullptr},
    {"memory_max", OptionType::size, 0, "16M", "memory of a script in each worker", nullptr},
    {"body_max", OptionType::size, 0, "1M", "of a request's content, which the script gets as a whole",
     nullptr},
    {"trusted", OptionType::flag, 0, "off",
     "the script may use io, os, package, debug, ffi and load as well, and so all that the worker may",
     nullptr},
};

}  // namespace

SLUICE_MODULE(Lua, .name = "lua", .version = "1.0.0", .summary = "Answers by a script of Lua",
              .options = kOptions, .option_count = sizeof(kOptions) / sizeof(kOptions[0]));
