#include "module/module_instance.h"

#include <fmt/core.h>
#include <algorithm>
#include <utility>

#include "base/log.h"
#include "base/out_of_memory.h"
#include "http/http_fields.h"

namespace sluice {
namespace {

constexpr std::size_t kWarningsMax = 16;  // of one instance, while it is made

// The log names what keeps a replaced instance in memory for longer than this.
constexpr std::uint64_t kLeftoverMs = 60'000;

}  // namespace

class ModuleInstance::Watch final : public Pollable, public Reapable {
 public:
  Watch(ModuleInstance& instance, int fd, Watcher& watcher) : instance_(instance), fd_(fd), watcher_(watcher) {}
  bool start(std::uint32_t events) {
    token_ = instance_.services_.loop.add(fd_, events, *this);
    return token_ != EventLoop::kNoToken;
  }
  ~Watch() override {
    if (token_ != EventLoop::kNoToken) stop();
  }
  void stop() { instance_.services_.loop.remove(std::exchange(token_, EventLoop::kNoToken), fd_); }
  // Whether the descriptor was closed. Another file may have its number now.
  bool is_stale() const { return !instance_.services_.loop.watches(token_, fd_); }
  void on_events(std::uint32_t events) override {
    instance_.call([&] { watcher_.ready(events); });
  }

 private:
  ModuleInstance& instance_;
  int fd_;
  Watcher& watcher_;
  EventLoop::Token token_ = EventLoop::kNoToken;
};

class ModuleInstance::GuardedTimer final : public Timer {
 public:
  GuardedTimer(ModuleInstance& instance, std::uint64_t period_ms, Timer& inner)
      : instance_(instance), inner_(inner), period_ms_(period_ms) {}
  ~GuardedTimer() { stop(); }
  TimerId start(std::uint64_t delay_ms) {
    running_ = instance_.services_.loop.timers().start(instance_.due_in(delay_ms), *this);
    if (id_.value == 0) id_ = running_;
    return id_;
  }
  void stop() { instance_.services_.loop.timers().cancel(running_); }
  void fired() override {
    Timer& inner = inner_;
    ModuleInstance& instance = instance_;
    const InstanceRef held(&instance);
    if (period_ms_ > 0) {
      unless_out_of_memory("memory is used up: a module's periodic timer stops", [this] { start(period_ms_); });
    } else {
      instance.timers_.erase(id_.value);  // destroys this
    }
    instance.call([&] { inner.fired(); });
  }

 private:
  ModuleInstance& instance_;
  Timer& inner_;
  const std::uint64_t period_ms_;
  TimerId running_{};
  TimerId id_{};  // of the first run, by which the module knows it
};

// Holds the instance, and so the mapping, until the module's Work is done and destroyed.
class ModuleInstance::GuardedWork final : public Work {
 public:
  GuardedWork(ModuleInstance& instance, Work* inner) : instance_(&instance) {
    if (const HandledRequest* request = instance.called_for_) {
      if (request->calls == nullptr) request->calls = std::make_shared<RequestCalls>();
      calls_ = request->calls;
      calls_->begin();
    }
    ++instance.offloaded_;
    inner_.reset(inner);
  }
  ~GuardedWork() override {
    --instance_->offloaded_;
    if (calls_ != nullptr) calls_->end();
  }
  void run() override {
    std::atomic<std::uint64_t>& since = instance_->services_.stats.notes[Offload::thread_index()].since_ns;
    since.store(monotonic_ns(), std::memory_order_relaxed);
    ran_ = instance_->call([&] { inner_->run(); });
    since.store(0, std::memory_order_relaxed);
  }
  void done(bool ran) override {
    instance_->call([&] { inner_->done(ran && ran_); });
    instance_->call([&] { inner_.reset(); });  // also when `done` has thrown
  }
  Work* give_up() { return inner_.release(); }

 private:
  InstanceRef instance_;
  std::shared_ptr<RequestCalls> calls_;  // of the request that it was offloaded for; null without one
  std::unique_ptr<Work> inner_;
  bool ran_ = false;
};

class ModuleInstance::GuardedQuestion final : public Questions::Asker {
 public:
  GuardedQuestion(ModuleInstance& instance, Answered& inner) : instance_(instance), inner_(inner) {}
  ~GuardedQuestion() { instance_.services_.questions->forget(*this); }
  void answered(bool known, std::string_view text) override {
    Answered& inner = inner_;
    ModuleInstance& instance = instance_;
    const InstanceRef held(&instance);
    std::erase_if(instance.questions_, [this](const auto& one) { return one.get() == this; });  // destroys this
    instance.call([&] { inner.answered(known, text); });
  }

 private:
  ModuleInstance& instance_;
  Answered& inner_;
};

ModuleInstance::ModuleInstance(const InstanceServices& services, std::shared_ptr<ModuleFile> file,
                               InstanceRef shared, MountPlan plan)
    : services_(services), file_(std::move(file)), shared_(std::move(shared)), plan_(std::move(plan)) {
  const std::string module_name = file_->info().name;
  name_ = plan_.prefix.empty() ? module_name : module_name + " at " + plan_.site + plan_.prefix;
  note_ = make_module_tag(services_.stats.module_index(module_name), file_->generation());
  if (services_.state.state != nullptr)
    space_ = state().names.of(module_name + '\n' + (plan_.filter ? "filter" : "") + '\n' + plan_.site +
                              plan_.prefix);
}

ModuleInstance::~ModuleInstance() {
  call([this] {
    handler_.reset();
    filter_.reset();
    own_shared_.reset();
  });
  drop_waits();  // the destructors may have started some
  services_.loop.timers().cancel(leftover_);
}

Result<InstanceRef> ModuleInstance::create_shared(const InstanceServices& services,
                                                  std::shared_ptr<ModuleFile> file) {
  const ModuleInfo& info = file->info();
  if (!has_member(info, offsetof(ModuleInfo, create_shared) + sizeof(info.create_shared)) ||
      info.create_shared == nullptr) {
    return InstanceRef();
  }
  InstanceRef instance(new ModuleInstance(services, std::move(file), InstanceRef(), MountPlan{}));
  instance->being_made_ = false;  // each worker has its own Shared, so its warnings are logged at once
  instance->call([&] { instance->own_shared_.reset(info.create_shared(*instance.get())); });
  return instance->unless_refused(instance->own_shared_ != nullptr);
}

Result<InstanceRef> ModuleInstance::create_mounted(const InstanceServices& services,
                                                   std::shared_ptr<ModuleFile> file, InstanceRef shared,
                                                   const MountPlan& mount) {
  InstanceRef instance(new ModuleInstance(services, std::move(file), std::move(shared), mount));
  auto resolved = resolve_options(*instance->file_, mount);
  if (!resolved) return Unexpected(resolved.error());
  instance->options_ = std::move(*resolved);
  const ModuleFile& module = *instance->file_;
  if (mount.filter) {
    instance->call([&] { instance->filter_.reset(module.filter_maker()(*instance.get())); });
  } else {
    instance->call([&] { instance->handler_.reset(module.info().create(*instance.get())); });
  }
  return instance->unless_refused(instance->handler_ != nullptr || instance->filter_ != nullptr);
}

Result<InstanceRef> ModuleInstance::unless_refused(bool made) {
  being_made_ = false;
  if (made && rejection_.empty()) return InstanceRef(this);
  for (const std::string& line : take_warnings()) sluice::log(LogLevel::warning, line);
  return fail(fmt::format("module {} refuses to start: {}", name_,
                          rejection_.empty() ? "it gives no reason" : rejection_));
}

void ModuleInstance::retire() {
  retired_ = true;
  if (leftover_.value == 0)
    leftover_ = services_.loop.timers().start(services_.loop.now_ms() + kLeftoverMs, *this);
  call([this] {
    if (handler_ != nullptr) handler_->retire();
    if (filter_ != nullptr) filter_->retire();
    if (own_shared_ != nullptr) own_shared_->retire();
  });
}

void ModuleInstance::leave(Leaving why) {
  if (handler_ != nullptr && file_->info().abi_minor >= kLeavingSince)
    call([this, why] { handler_->leaving(why); });
}

void ModuleInstance::fired() {
  leftover_ = TimerId{};
  if (holds_ + offloaded_ == 0) return;  // only answers that take long keep it
  sluice::log(LogLevel::warning,
              fmt::format("module {}, generation {}, was replaced {} s ago and stays in memory: it has {} "
                          "unreleased holds and {} unfinished offloaded calls",
                          name_, file_->generation(), kLeftoverMs / 1000, holds_, offloaded_));
}

void ModuleInstance::report_thrown(std::string_view what) noexcept {
  unless_out_of_memory("memory is used up: a module's exception is not logged",
                       [&] { report_fault(std::string("it threw ").append(what)); });
}

void ModuleInstance::report_fault(std::string_view what, const Request* request) {
  // Offload threads call this, too, but only the loop's thread may write the counter.
  const unsigned thread = Offload::thread_index();
  if (thread == 0) services_.stats.module_faults.add();
  std::string sentence = fmt::format("module {}: {}", name_, what);
  const CallNote& note = services_.stats.notes[thread];
  if (request == nullptr && note.module_tag == note_) request = note.request;
  // Within a LogScope, the line names the request anyway.
  if (request != nullptr && LogScope::innermost() == nullptr) {
    NotedRequest line;
    line.set(*request);
    sentence += ", for " + line.text();
  }
  sluice::log(LogLevel::error, sentence);
}

Folder ModuleInstance::folder() const {
  Folder folder;
  folder.fd = plan_.folder_fd;
  folder.path = plan_.folder_path;
  return folder;
}

Shared* ModuleInstance::shared() const {
  return shared_ ? shared_->own_shared_.get() : own_shared_.get();
}

void ModuleInstance::reject(Bytes why) {
  rejection_ = std::string_view(why);
}

void ModuleInstance::log(LogLevel level, Bytes message) {
  std::string line = fmt::format("module {}: {}", name_, std::string_view(message));
  if (being_made_ && level == LogLevel::warning && warnings_.size() < kWarningsMax) {
    warnings_.push_back(std::move(line));
  } else {
    sluice::log(level, line);
  }
}

bool ModuleInstance::watch(int fd, std::uint32_t epoll_events, Watcher& watcher) {
  if (const auto found = watches_.find(fd); found != watches_.end()) {
    if (!found->second->is_stale()) {
      report_fault(fmt::format("it watches descriptor {} already, and may not watch it twice", fd));
      return false;
    }
    report_fault(fmt::format("it closed descriptor {} without calling Host::unwatch first", fd));
    unwatch(fd);
  }
  auto watch = std::make_unique<Watch>(*this, fd, watcher);
  if (!watch->start(epoll_events)) return false;
  watches_.emplace(fd, std::move(watch));
  return true;
}

void ModuleInstance::unwatch(int fd) {
  const auto found = watches_.find(fd);
  if (found == watches_.end()) return;
  found->second->stop();
  services_.loop.reap(std::move(found->second));  // it may be the caller
  watches_.erase(found);
}

TimerId ModuleInstance::timer(std::uint64_t delay_ms, Timer& timer) {
  return start_timer(delay_ms, 0, timer);
}

TimerId ModuleInstance::every(std::uint64_t period_ms, Timer& timer) {
  period_ms = std::max<std::uint64_t>(period_ms, 1);
  return start_timer(period_ms, period_ms, timer);
}

TimerId ModuleInstance::start_timer(std::uint64_t delay_ms, std::uint64_t period_ms, Timer& timer) {
  auto guarded = std::make_unique<GuardedTimer>(*this, period_ms, timer);
  const TimerId id = guarded->start(delay_ms);
  timers_.emplace(id.value, std::move(guarded));
  return id;
}

bool ModuleInstance::ask(Bytes question, Answered& to) {
  if (condemned_ || services_.questions == nullptr || questions_.size() >= kQuestionsMax) return false;
  auto guarded = std::make_unique<GuardedQuestion>(*this, to);
  if (!services_.questions->ask(question, *guarded)) return false;
  questions_.push_back(std::move(guarded));
  return true;
}

std::uint64_t ModuleInstance::due_in(std::uint64_t delay_ms) const {
  const std::uint64_t now_ms = services_.loop.now_ms();
  return delay_ms < Timers::kNone - now_ms ? now_ms + delay_ms : Timers::kNone;
}

void ModuleInstance::cancel(TimerId timer) {
  timers_.erase(timer.value);  // it may have fired, or belong to another module
}

bool ModuleInstance::offload(Work* work) {
  if (condemned_) return false;  // called by a destructor: the work's end would have no instance to call
  std::unique_ptr<GuardedWork> guarded;
  if (!unless_out_of_memory("memory is used up: an offloaded call is refused",
                            [&] { guarded = std::make_unique<GuardedWork>(*this, work); }))
    return false;
  GuardedWork* raw = guarded.get();
  std::unique_ptr<Work> item = std::move(guarded);
  const auto room = retired_ ? Offload::Room::reserve : Offload::Room::share;
  if (services_.offload.submit(this, item, room)) return true;
  raw->give_up();  // the module keeps the work
  return false;
}

void ModuleInstance::hold() {
  ++holds_;
  services_.stats.holds[noted_index(note_)].add();
  keep();
}

void ModuleInstance::release() {
  if (holds_ == 0) return report_fault("it released a hold that it did not have");
  --holds_;
  services_.stats.holds[noted_index(note_)].subtract();
  let_go();
}

void ModuleInstance::let_go() {
  if (--keeps_ > 0 || condemned_) return;
  condemned_ = true;
  drop_waits();  // so that nothing calls the module again
  services_.loop.reap(std::unique_ptr<Reapable>(this));
}

void ModuleInstance::drop_waits() {
  for (auto& [fd, watch] : watches_) {
    watch->stop();
    services_.loop.reap(std::move(watch));  // it may be the caller
  }
  watches_.clear();
  timers_.clear();
  questions_.clear();
}

std::uint32_t ModuleInstance::counter(Bytes name) {
  const std::string full = std::string(file_->info().name) + "." + std::string(std::string_view(name));
  return services_.stats.module_counter_index(full);
}

void ModuleInstance::count(std::uint32_t counter, std::uint64_t by) {
  if (counter < WorkerStats::kModuleCountersMax) services_.stats.module_counters[counter].value.add(by);
}

FieldBlock* ModuleInstance::prepare_fields(const Field* fields, std::uint32_t count) {
  std::string lines;
  for (std::uint32_t i = 0; i < count; ++i) {
    if (const char* why = why_not_sendable(fields[i].name, fields[i].value)) {
      log(LogLevel::error,
          fmt::format("it may not send the field {}: {}", std::string_view(fields[i].name), why));
      return nullptr;
    }
    append_field(lines, fields[i].name, fields[i].value);
  }
  if (lines.size() > kFieldLinesMax) {
    log(LogLevel::error, "its prepared fields are too long for any answer");
    return nullptr;
  }
  return new FieldBlock(std::move(lines));
}

void ModuleInstance::release_fields(FieldBlock* block) {
  delete block;
}

}  // namespace sluice
