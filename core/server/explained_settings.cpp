#include "server/explained_settings.h"

#include <sys/wait.h>
#include <unistd.h>

#include <algorithm>
#include <memory>
#include <optional>
#include <utility>

#include "base/log.h"
#include "base/monotonic_clock.h"
#include "server/explanations.h"
#include "server/reload.h"
#include "server/tried_settings.h"

namespace sluice {
namespace {

constexpr std::uint64_t kStartMs = 20'000;
// Between two looks whether a worker has ended.
constexpr int kTurnMs = 100;

// Workers that listen nowhere.
class IdleWorkers final : private WorkerProcess::Owner {
 public:
  IdleWorkers(EventLoop& loop, TriedSettings tried)
      : loop_(loop),
        tried_(std::move(tried)),
        group_(tried_.plan, tried_.folder.report.mounts),
        explanations_(loop) {}
  IdleWorkers(const IdleWorkers&) = delete;
  IdleWorkers& operator=(const IdleWorkers&) = delete;
  ~IdleWorkers() {
    for (WorkerProcess* worker : group_.workers()) {
      worker->dismiss();
      ::waitpid(worker->pid(), nullptr, 0);
    }
  }

  Result<void> start() {
    tried_.folder.catalog.learn(tried_.folder.report, tried_.folder.catalog.set());
    WorkerGroup::Launch launch{loop_, *this, STDERR_FILENO};
    launch.close_others = [this](const std::vector<ListeningSocket>& sockets) {
      loop_.close_for_child();
      group_.close_for_child(sockets);
      tried_.store->close_for_child();
    };
    launch.copies = tried_.store->path();
    const auto launched = group_.launch_missing(tried_.folder.catalog.set(), launch);
    if (!launched) return launched;
    const std::uint64_t late_ms = monotonic_ms() + kStartMs;
    while (!group_.all_ready()) {
      if (turn()) return fail("the worker that should answer has ended: the lines above say why");
      if (monotonic_ms() >= late_ms) return fail("the worker that should answer does not get ready");
    }
    return {};
  }

  Result<std::string> explain(const ExplainQuery& query) {
    std::optional<Result<std::string>> told;
    explanations_.ask(query.encode(), group_, [&](const ControlAnswer& answer) { told = answer; });
    while (!told) {
      if (const auto ended = turn()) explanations_.worker_ended(*ended);
    }
    return *told;
  }

 private:
  void heard(WorkerProcess& worker, const WorkerMessage& message) override {
    if (message.kind == ControlMessage::explained) explanations_.explained(worker.pid(), message);
  }
  void does_not_end(WorkerProcess&) override {}

  // The worker that has ended, if one has.
  std::optional<pid_t> turn() {
    loop_.turn(kTurnMs);
    const pid_t ended = ::waitpid(-1, nullptr, WNOHANG);
    return ended > 0 ? std::optional(ended) : std::nullopt;
  }

  EventLoop& loop_;
  TriedSettings tried_;
  WorkerGroup group_;
  Explanations explanations_;
};

}  // namespace

Result<std::string> explain_settings(const Settings& settings, const ExplainQuery& query) {
  Settings of_few = settings;
  of_few.workers = 1;
  of_few.log_level = std::max(settings.log_level, LogLevel::warning);
  set_log(of_few.log_level, "explain");
  auto tried = try_settings(of_few, [] {});
  if (!tried) return Unexpected(tried.error());
  log_problems(tried->folder.report);
  const auto stats = map_stats();
  if (!stats) return Unexpected(stats.error());
  const auto loop = EventLoop::create(**stats);
  if (!loop) return Unexpected(loop.error());
  IdleWorkers workers(**loop, std::move(*tried));
  return workers.start().and_then([&] { return workers.explain(query); });
}

}  // namespace sluice
