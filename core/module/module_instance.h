// One handler or filter of one worker, or the Shared of a module's handlers, with all that it got from the
// server: options, watches, timers, offloaded work, questions, holds. It is the module's Host.
//
// The router, each exchange, each offloaded work and the module itself hold it. When the last hold ends, it is
// destroyed at the end of the turn: first the handler, then the module's Shared if this was its last user, then
// the mapping. Loop thread.
//
// INVARIANT: a module is called only through `call`, which notes the module and catches its exceptions.
#pragma once

#include <sluice/filter.h>

#include <exception>
#include <memory>
#include <string>
#include <unordered_map>
#include <utility>
#include <vector>

#include "base/shared_state.h"
#include "loop/event_loop.h"
#include "loop/offload.h"
#include "module/module_file.h"
#include "module/questions.h"
#include "module/request_calls.h"
#include "telemetry/worker_stats.h"

namespace sluice {

class ModuleInstance;

// Wakes exchanges by their tickets.
class Resumer {
 public:
  // The module of `from` resumes its exchange. A ticket of another module's exchange is ignored.
  virtual void resume(Ticket ticket, const ModuleInstance& from) = 0;

 protected:
  ~Resumer() = default;
};

// The parts of the worker that each instance uses. They outlive all instances.
struct InstanceServices {
  EventLoop& loop;
  Offload& offload;
  WorkerStats& stats;
  Resumer& resumer;
  Questions* questions = nullptr;  // null: there is no server to ask
  StatePlace state = {};           // has one, unless the modules use none
};

// Where and how a handler is mounted, or a filter placed.
struct MountPlan {
  std::string prefix;  // "/static/"
  std::vector<std::pair<std::string, std::string>> options;
  int folder_fd = -1;       // MountFolder::fd, which the ServingPlan owns for the worker's life
  std::string folder_path;  // MountFolder::path: empty or ending in '/'
  std::string root{};       // MountFolder::root
  std::string folder{};     // MountFolder::folder
  std::string site{};       // SitePlan::label; empty for the default site
  bool filter = false;      // MountSpec::filter
};

// A hold on an instance.
class InstanceRef {
 public:
  InstanceRef() = default;
  explicit InstanceRef(ModuleInstance* instance);
  InstanceRef(const InstanceRef& other) : InstanceRef(other.instance_) {}
  InstanceRef(InstanceRef&& other) noexcept : instance_(std::exchange(other.instance_, nullptr)) {}
  InstanceRef& operator=(InstanceRef other) noexcept {
    std::swap(instance_, other.instance_);
    return *this;
  }
  ~InstanceRef();

  ModuleInstance* get() const { return instance_; }
  ModuleInstance* operator->() const { return instance_; }
  explicit operator bool() const { return instance_ != nullptr; }

 private:
  ModuleInstance* instance_ = nullptr;
};

class ModuleInstance final : public Host, public Reapable, private sluice::Timer {
 public:
  static Result<InstanceRef> create_shared(const InstanceServices& services, std::shared_ptr<ModuleFile> file);
  // Makes a handler, or a filter if `mount` is its place. `shared` may be empty.
  static Result<InstanceRef> create_mounted(const InstanceServices& services, std::shared_ptr<ModuleFile> file,
                                            InstanceRef shared, const MountPlan& mount);
  // Whether the module is what the mount asks for, handler or filter, and has the options that it gives, with
  // values that they can have.
  static Result<void> check_options(const ModuleFile& file, const MountPlan& mount);
  ~ModuleInstance() override;

  // REQUIRES: made for a mount.
  Handler& handler() { return *handler_; }
  // REQUIRES: made for the place of a filter.
  Filter& filter() { return *filter_; }
  const std::string& name() const { return name_; }               // "hello at /hello/"
  std::string_view module() const { return file_->info().name; }  // "hello"
  // Where the durations of its answers are counted.
  RequestSeriesCache& request_series() { return request_series_; }
  std::uint32_t generation() const { return file_->generation(); }
  const std::string& folder_of_file() const { return file_->folder(); }
  // The warnings of a handler while it was made. They are not logged, so that each worker does not repeat them:
  // the trial reports them once.
  std::vector<std::string> take_warnings() { return std::exchange(warnings_, {}); }
  // Whether both are of one generation of one module.
  bool is_of_file(const ModuleInstance& other) const { return file_ == other.file_; }
  void retire();
  // Tells a handler that its worker is about to end.
  void leave(Leaving why);
  // Whether a handler has Handler::ended.
  bool knows_ends() const { return file_->info().abi_minor >= kEndsSince; }
  bool retired() const { return retired_; }

  // Calls `enter` inside the module; `request` is null if the call is for none. false when it threw, which is
  // logged.
  template <typename Call>
  bool call(Call&& enter, const HandledRequest* request = nullptr) noexcept {
    const NotedCall noted(services_.stats.notes[Offload::thread_index()], note_, request);
    const CalledFor called_for(*this, request);
    try {
      enter();
      return true;
    } catch (const std::exception& error) {
      report_thrown(error.what());
    } catch (...) {
      report_thrown("something that is not a std::exception");
    }
    return false;
  }
  // Counts an answer of the module that was sent.
  void count_answer(std::uint64_t took_ns) { services_.stats.answers[noted_index(note_)].add(took_ns); }
  // Counts and logs that the module broke the interface's contract. The line names the module and the request;
  // if `request` is null, the request of the current call.
  void report_fault(std::string_view what, const Request* request = nullptr);

  // Host
  Bytes mount() const override { return plan_.prefix; }
  Folder folder() const override;
  Bytes option(Bytes name) const override;
  std::uint64_t number(Bytes name) const override;
  Shared* shared() const override;
  void reject(Bytes why) override;
  void log(LogLevel level, Bytes message) override;
  std::uint64_t now_ms() const override { return services_.loop.now_ms(); }
  bool watch(int fd, std::uint32_t epoll_events, Watcher& watcher) override;
  void unwatch(int fd) override;
  TimerId timer(std::uint64_t delay_ms, Timer& timer) override;
  void cancel(TimerId timer) override;
  bool offload(Work* work) override;
  void resume(Ticket ticket) override { services_.resumer.resume(ticket, *this); }
  void hold() override;
  void release() override;
  std::uint32_t counter(Bytes name) override;
  void count(std::uint32_t counter, std::uint64_t by) override;
  FieldBlock* prepare_fields(const Field* fields, std::uint32_t count) override;
  void release_fields(FieldBlock* block) override;
  TimerId every(std::uint64_t period_ms, Timer& timer) override;
  bool ask(Bytes question, Answered& to) override;
  std::uint64_t shared_number(Bytes name) override;
  Changed change_shared_number(Bytes name, std::uint64_t from, std::uint64_t to) override;
  std::uint64_t add_shared_number(Bytes name, std::uint64_t by) override;
  bool claim(Bytes name, std::uint32_t max) override;
  void give_back(Bytes name) override;
  std::uint64_t claims(Bytes name) override;

 private:
  // The minors of the interface that brought Handler's methods.
  static constexpr std::uint32_t kEndsSince = 2;
  static constexpr std::uint32_t kLeavingSince = 2;
  // Of one instance, unanswered. One that asks in a loop leaves room for the others.
  static constexpr std::size_t kQuestionsMax = 8;

  friend class InstanceRef;
  void fired() override;  // kLeftoverMs after retire()
  void keep() { ++keeps_; }
  void let_go();

  struct OptionValue {
    std::string name;
    std::string text;
    std::uint64_t number = 0;
  };
  // Notes the request that the module is called for while this object lives. Offload threads call for none.
  class CalledFor {
   public:
    CalledFor(ModuleInstance& instance, const HandledRequest* request)
        : instance_(instance), is_noted_(request != nullptr) {
      if (is_noted_) before_ = note(request);
    }
    ~CalledFor() {
      if (is_noted_) note(before_);
    }
    CalledFor(const CalledFor&) = delete;
    CalledFor& operator=(const CalledFor&) = delete;

   private:
    // Also for the Shared, whose Host may offload the request's calls.
    const HandledRequest* note(const HandledRequest* request) {
      if (instance_.shared_) instance_.shared_->called_for_ = request;
      return std::exchange(instance_.called_for_, request);
    }

    ModuleInstance& instance_;
    bool is_noted_;
    const HandledRequest* before_ = nullptr;
  };
  class Watch;
  class GuardedTimer;
  class GuardedWork;
  class GuardedQuestion;

  ModuleInstance(const InstanceServices& services, std::shared_ptr<ModuleFile> file, InstanceRef shared,
                 MountPlan plan);
  // This instance, if the module made its object and did not call Host::reject; otherwise its refusal.
  Result<InstanceRef> unless_refused(bool made);
  static Result<std::vector<OptionValue>> resolve_options(const ModuleFile& file, const MountPlan& mount);
  const OptionValue* find_option(std::string_view name) const;
  void report_thrown(std::string_view what) noexcept;
  // Nothing that the module waits for calls it any more.
  void drop_waits();
  // `period_ms` is 0 for a timer that fires once.
  TimerId start_timer(std::uint64_t delay_ms, std::uint64_t period_ms, Timer& timer);
  // When so much has passed from now on.
  std::uint64_t due_in(std::uint64_t delay_ms) const;
  const SharedState& state() const { return *services_.state.state; }
  SharedName own_name(Bytes name) const { return state().names.within(space_, name); }

  InstanceServices services_;
  // The order counts: the handler is destroyed before the hold on Shared, and that before the mapping.
  std::shared_ptr<ModuleFile> file_;
  InstanceRef shared_;
  MountPlan plan_;
  std::string name_;
  std::vector<OptionValue> options_;
  std::string rejection_;
  bool being_made_ = true;
  std::vector<std::string> warnings_;
  std::uint64_t note_ = 0;
  SharedName space_;  // of its names in what workers share: the module's at this place
  // Claims without a room, by their name's entry. So no one's claim that has one is given back for them.
  std::unordered_map<std::uint64_t, std::uint64_t> granted_;
  RequestSeriesCache request_series_;
  std::uint64_t keeps_ = 0;  // InstanceRefs, and one for each of holds_
  std::uint64_t holds_ = 0;  // Host::hold without its release
  std::uint64_t offloaded_ = 0;
  const HandledRequest* called_for_ = nullptr;  // the request of the current call
  TimerId leftover_{};
  bool retired_ = false;
  bool condemned_ = false;  // given to EventLoop::reap
  std::unordered_map<int, std::unique_ptr<Watch>> watches_;
  std::unordered_map<std::uint64_t, std::unique_ptr<GuardedTimer>> timers_;
  std::vector<std::unique_ptr<GuardedQuestion>> questions_;
  std::unique_ptr<Shared> own_shared_;
  std::unique_ptr<Handler> handler_;
  std::unique_ptr<Filter> filter_;
};

inline InstanceRef::InstanceRef(ModuleInstance* instance) : instance_(instance) {
  if (instance_ != nullptr) instance_->keep();
}
inline InstanceRef::~InstanceRef() {
  if (instance_ != nullptr) instance_->let_go();
}

}  // namespace sluice
