#include "worker/worker.h"

#include <fcntl.h>
#include <sys/resource.h>
#include <sys/signalfd.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <climits>
#include <csignal>
#include <utility>

#include "base/log.h"
#include "base/monotonic_clock.h"
#include "base/process_setup.h"
#include "base/text.h"
#include "http/http_fields.h"
#include "telemetry/fault_handler.h"
#include "worker/fork_guard.h"
#include "worker/module_loading.h"

namespace sluice {
namespace {

constexpr std::size_t kOutputSize = 32 * 1024;
// A whole head fits, with the server's own lines.
static_assert(kFieldLinesMax + 1024 <= kOutputSize);
constexpr std::uint64_t kDrainCheckMs = 20;
// Time for modules' offloaded calls that still run when everything else has ended.
constexpr int kOffloadGraceTurns = 100;
constexpr int kOffloadGraceTurnMs = 20;
// The number of descriptors that are kept for files: this part of all, but at most kSparedMax.
constexpr rlim_t kSparedPart = 8;
constexpr rlim_t kSparedMax = 256;

int spare_descriptors_from() {
  rlimit limit{};
  if (::getrlimit(RLIMIT_NOFILE, &limit) != 0) return INT_MAX;
  const auto all = std::min<rlim_t>(limit.rlim_cur, INT_MAX);
  return static_cast<int>(all - std::min<rlim_t>(all / kSparedPart, kSparedMax));
}

}  // namespace

class Worker::Unloading final : public Work {
 public:
  Unloading(Worker& worker, std::shared_ptr<ModuleFile> file)
      : worker_(worker),
        file_(std::move(file)),
        note_(make_module_tag(worker.context_.stats.module_index(file_->info().name), file_->generation())) {}
  ~Unloading() override { run(); }  // if no thread has done so
  void run() override {
    if (file_ == nullptr) return;
    unload_module(std::move(file_), worker_.context_.stats, note_, worker_.own_threads_, worker_.ending_);
  }
  void done(bool) override {
    if (file_ != nullptr) worker_.unload(std::move(file_));
  }

 private:
  Worker& worker_;
  std::shared_ptr<ModuleFile> file_;
  std::uint64_t note_;
};

Worker::Worker(const ServingPlan& plan, const ServingGroup& group, WorkerStats& stats, StatePlace state,
               std::unique_ptr<EventLoop> loop, std::unique_ptr<Offload> offload)
    : plan_(plan),
      group_(group),
      loop_(std::move(loop)),
      offload_(std::move(offload)),
      inputs_(plan.settings.limits.head_bytes_max),
      outputs_(kOutputSize),
      identities_(plan),
      context_{{*loop_, router_, plan.sites, plan.settings.limits, stats}, date_, inputs_, outputs_},
      connections_(context_),
      explained_(context_),
      shortage_(*loop_),
      spare_descriptors_from_(spare_descriptors_from()),
      questions_(*loop_),
      services_{*loop_, *offload_, stats, connections_, &questions_, std::move(state)},
      own_threads_(running_threads().value_or(std::set<std::string>())) {
  if (!plan.settings.trusted_proxies.from.networks.empty()) context_.trusted = &plan.settings.trusted_proxies;
  if (plan.settings.log_level == LogLevel::debug) context_.decisions = &logged_decisions_;
  connections_.pass_other_tickets_to(explained_);
}

Worker::~Worker() {
  ending_ = true;
  abandon_change();  // loading under way makes no handlers
  listeners_.clear();
  helped_.clear();
  connections_.close_all();
  explained_.close_all();
  router_.clear();
  mounts_.reset();
  // Offloaded work holds its handler until it has come back.
  const bool has_served = control_ >= 0;
  const std::uint64_t grace_ms = std::max<std::uint64_t>(kOffloadGraceTurns * kOffloadGraceTurnMs,
                                                         has_served ? plan_.settings.timeouts.drain_ms : 0);
  const std::uint64_t until_ms = monotonic_ms() + grace_ms;
  while (!offload_->idle() && monotonic_ms() < until_ms) loop_->turn(kOffloadGraceTurnMs);
  if (has_served && !offload_->idle()) {  // joining a thread that is stuck would never end
    log(LogLevel::warning, "offloaded calls do not end: the worker ends without them");
    end_by_fault(context_.stats, 0);
  }
  loop_->turn(0);
  offload_.reset();
  loop_->turn(0);
}

Result<std::unique_ptr<Worker>> Worker::prepare(const ServingPlan& plan, const ServingGroup& group,
                                                const ModuleSet& set, WorkerStats& stats, const Terms& terms) {
  // Before there are threads. Half of the room is for descriptors that modules open.
  reserve_descriptors(2 * std::uint64_t{plan.settings.limits.connections_max});
  disable_malloc_fastbins();
  auto loop = EventLoop::create(stats);
  if (!loop) return Unexpected(loop.error());
  const auto audited = plan.settings.loop_audit ? (*loop)->audit() : Result<void>();
  if (!audited) return Unexpected(audited.error());
  (*loop)->deadlines().set_durations(plan.settings.timeouts);
  Offload::Limits limits;
  limits.threads = plan.settings.offload_threads;
  auto offload = Offload::create(**loop, limits);
  if (!offload) return Unexpected(offload.error());
  StatePlace state = terms.state;
  if (state.state == nullptr) {
    auto own = SharedState::make();
    if (!own) return Unexpected(own.error());
    state.state = std::move(*own);
  }
  std::unique_ptr<Worker> worker(
      new Worker(plan, group, stats, std::move(state), std::move(*loop), std::move(*offload)));
  const auto prepared = worker->prepare_addresses();
  if (!prepared) return Unexpected(prepared.error());
  LoadedFiles files;
  for (const ModuleEntry& entry : MountTable::to_load(plan, group, set, nullptr)) {
    files.emplace(entry.path,
                  load_module(entry, stats, note_of_loading(stats, entry)).map([&](const auto& file) {
                    return worker->unloaded_elsewhere(file);
                  }));
  }
  worker->mounts_ = MountTable::begin(worker->services_, plan, group, set, files, nullptr, terms.unusable);
  const auto made = worker->mounts_->make_some(plan.mounts.size());
  if (!made) return Unexpected(made.error());
  worker->mounts_->fill(worker->router_);
  return worker;
}

void Worker::limit_clients(unsigned number) {
  if (plan_.client_counts == nullptr) return;
  context_.clients = &clients_.emplace(plan_.client_counts, number, plan_.settings, context_.stats);
  for (const auto& address : addresses_) address->context.clients = context_.clients;
}

Result<void> Worker::prepare_addresses() {
  const WorkerAddress::Common common{plan_, group_, identities_, *loop_, *offload_, handshake_log_};
  for (const ServedAddress& served : group_.addresses) {
    auto address = WorkerAddress::prepare(served, common);
    if (!address) return Unexpected(address.error());
    addresses_.push_back(std::move(*address));
  }
  return {};
}

std::shared_ptr<ModuleFile> Worker::unloaded_elsewhere(std::shared_ptr<ModuleFile> file) {
  ModuleFile* raw = file.get();
  return {raw, [this, owned = std::move(file)](ModuleFile*) mutable { unload(std::move(owned)); }};
}

void Worker::unload(std::shared_ptr<ModuleFile> file) {
  std::unique_ptr<Work> unloading = std::make_unique<Unloading>(*this, std::move(file));
  // Without threads, or when even the reserve is full, the module is unloaded here.
  if (offload_ != nullptr) offload_->submit(this, unloading, Offload::Room::reserve);
}

Result<void> Worker::run(const std::vector<ListeningSocket>& sockets, int control) {
  ask_for_short_slices();
  sigset_t term;
  sigemptyset(&term);
  sigaddset(&term, SIGTERM);
  sigprocmask(SIG_BLOCK, &term, nullptr);
  signals_.reset(::signalfd(-1, &term, SFD_CLOEXEC | SFD_NONBLOCK));
  control_ = control;
  if (!signals_ || loop_->add(signals_.get(), EPOLLIN, *this) == EventLoop::kNoToken ||
      (control_token_ = loop_->add(control_, EPOLLIN, *this)) == EventLoop::kNoToken) {
    return fail_errno("a worker cannot watch its signals", errno);
  }
  loop_->own().add(signals_.get(), "the descriptor for signals");
  loop_->own().add(control_, "the socket to the supervisor");
  guard_forks(loop_->own(), context_.stats);
  Listener::Acceptor& acceptor = *this;
  for (const ListeningSocket& socket : sockets)
    listeners_.push_back(std::make_unique<Listener>(*loop_, acceptor, UniqueFd(socket.fd), socket.address));
  questions_.use(control_);
  if (!send_message(control_, {ControlMessage::ready})) return fail("the supervisor is gone");
  loop_->run();
  return {};
}

void Worker::on_events(std::uint32_t) {
  signalfd_siginfo signal{};
  while (::read(signals_.get(), &signal, sizeof(signal)) == static_cast<ssize_t>(sizeof(signal))) {
    if (signal.ssi_pid != static_cast<std::uint32_t>(::getpid())) {
      drain(true);
    } else {
      log(LogLevel::error, "a module has sent SIGTERM to its own worker, which goes on");
      context_.stats.module_faults.add();
    }
  }
  WorkerMessage message;
  do {
    const Heard heard = receive_message(control_, message);
    if (heard == Heard::nothing) return;
    if (heard == Heard::gone) {
      loop_->look_at_own();
      // No supervisor would replace or end this worker.
      loop_->remove(control_token_, control_);
      questions_.use(-1);
      return drain(true);
    }
    hear(message);
  } while (!loop_->slice_is_over());
}

void Worker::hear(WorkerMessage& message) {
  switch (message.kind) {
    case ControlMessage::leave:
      return leave();
    case ControlMessage::stop:
      return drain(true);
    case ControlMessage::retire:
      return drain(false);
    case ControlMessage::accept:
      return start_accepting();
    case ControlMessage::prepare:
      return prepare_change(message.number, decode_modules(message.text));
    case ControlMessage::commit:
      return commit_change(message.number);
    case ControlMessage::abandon:
      if (message.number == change_) abandon_change();
      return;
    case ControlMessage::help:
      return help(message);
    case ControlMessage::help_over:
      helped_.erase(message.number);
      return;
    case ControlMessage::explain:
      return explain(message);
    case ControlMessage::told:
      return questions_.told(message);
    case ControlMessage::ready:
    case ControlMessage::prepared:
    case ControlMessage::refused:
    case ControlMessage::ask:
    case ControlMessage::explained:
      return;  // from the worker itself
  }
}

void Worker::start_accepting() {
  if (draining_) return;
  for (const auto& listener : listeners_) {
    const auto started = listener->start();
    if (started) continue;
    log(LogLevel::error, started.error().message);
    return drain(true);  // its successor may manage it
  }
}

// A worker in a long turn does not accept. This one accepts in its place until it is told to stop.
void Worker::help(WorkerMessage& message) {
  const std::uint64_t index = parse_decimal(message.text).value_or(addresses_.size());
  // Without a descriptor there was no room for it. The supervisor says it again.
  if (draining_ || !message.fd || index >= addresses_.size() || helped_.contains(message.number)) return;
  Listener::Acceptor& acceptor = *this;
  auto listener =
      std::make_unique<Listener>(*loop_, acceptor, std::move(message.fd), static_cast<std::uint32_t>(index));
  if (listener->start()) helped_[message.number] = std::move(listener);
}

void Worker::on_accept(AcceptedSocket socket, std::uint32_t address) {
  if (socket.socket.get() >= spare_descriptors_from_) make_room(EMFILE, true);
  connections_.accept(std::move(socket), addresses_[address]->context);
}

bool Worker::make_room(int why, bool again) {
  const bool made = connections_.make_room();
  if (made) context_.stats.connections_gave_way.add();
  if (!made && !again) context_.stats.connections_refused.add();
  if (made || !again) shortage_.note(why, made);
  return made;
}

void Worker::tick_in(std::uint64_t delay_ms) {
  if (!ticking_) loop_->timers().start(loop_->now_ms() + delay_ms, *this);
  ticking_ = true;
}

// Answers tell clients to connect elsewhere the next time. Those that ask nothing are not disturbed.
void Worker::leave() {
  if (leaving_) return;
  tick_in(0);
  leaving_ = context_.draining = true;
}

void Worker::drain(bool limited) {
  if (!draining_) {
    tick_in(kDrainCheckMs);  // goes first: there may be no memory
    leaving_ = draining_ = context_.draining = true;
    helped_.clear();
    for (const auto& listener : listeners_) listener->finish();
    if (!limited) router_.tell_leaving(Leaving::replaced);
  }
  if (limited && !limited_) {
    limited_ = true;
    drain_until_ms_ = loop_->now_ms() + plan_.settings.timeouts.drain_ms;
    streams_until_ms_ = loop_->now_ms() + plan_.settings.timeouts.stream_grace_ms;
    connections_.close_idle();
    router_.tell_leaving(Leaving::stopping);
  }
}

void Worker::fired() {
  ticking_ = false;
  std::erase_if(listeners_, [](const auto& listener) { return listener->finished(); });
  bool more = connections_.ask_to_leave();
  if (!draining_) {
    if (more) tick_in(0);
    return;
  }
  if (limited_) {
    if (connections_.close_idle()) more = true;
    if (loop_->now_ms() >= streams_until_ms_) {
      context_.ending_streams = true;
      if (connections_.end_streams()) more = true;
    }
    if (loop_->now_ms() >= drain_until_ms_) {
      listeners_.clear();
      if (connections_.size() > 0)
        log(LogLevel::warning,
            std::to_string(connections_.size()) + " connections are cut: the drain limit is over");
      connections_.close_all();
    }
  }
  if (connections_.size() == 0 && listeners_.empty()) return loop_->stop();
  tick_in(more ? 0 : kDrainCheckMs);
}

}  // namespace sluice
