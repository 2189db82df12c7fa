#include "worker.h"

#include <sys/signalfd.h>
#include <sys/socket.h>

#include <algorithm>
#include <cerrno>
#include <csignal>
#include <filesystem>

#include "log.h"

namespace sluice {
namespace {

// A request's body passes through what a head leaves free; this much at least.
constexpr std::size_t kBodyRoom = 16 * 1024;
constexpr std::size_t kOutputSize = 32 * 1024;
constexpr std::uint64_t kDrainCheckMs = 20;
// For modules' offloaded calls that still run when everything else has ended.
constexpr int kOffloadGraceTurns = 100;
constexpr int kOffloadGraceTurnMs = 20;

bool contains(const std::vector<std::string>& names, const std::string& name) {
  return std::find(names.begin(), names.end(), name) != names.end();
}

}  // namespace

Worker::Worker(const ServingPlan& plan, WorkerStats& stats, std::unique_ptr<EventLoop> loop,
               std::unique_ptr<Offload> offload)
    : plan_(plan),
      loop_(std::move(loop)),
      offload_(std::move(offload)),
      inputs_(plan.settings.limits.head_bytes_max + kBodyRoom),
      outputs_(kOutputSize),
      context_{*loop_, router_, plan.settings.limits, stats, date_, inputs_, outputs_},
      connections_(context_),
      services_{*loop_, *offload_, stats, connections_} {}

Worker::~Worker() {
  listeners_.clear();
  connections_.close_all();
  router_.clear();
  modules_.clear();
  // Offloaded work holds its handler until it has come back.
  for (int i = 0; i < kOffloadGraceTurns && !offload_->idle(); ++i) loop_->turn(kOffloadGraceTurnMs);
  loop_->turn(0);
  offload_.reset();
  loop_->turn(0);
}

Result<std::unique_ptr<Worker>> Worker::prepare(const ServingPlan& plan, WorkerStats& stats) {
  auto loop = EventLoop::create(stats);
  if (!loop) return Unexpected(loop.error());
  const auto audited = plan.settings.loop_audit ? (*loop)->audit() : Result<void>();
  if (!audited) return Unexpected(audited.error());
  const Timeouts& timeouts = plan.settings.timeouts;
  Deadlines& deadlines = (*loop)->deadlines();
  deadlines.set_duration(DeadlineKind::head, timeouts.head_ms);
  deadlines.set_duration(DeadlineKind::body, timeouts.body_ms);
  deadlines.set_duration(DeadlineKind::send, timeouts.send_ms);
  deadlines.set_duration(DeadlineKind::keepalive, timeouts.keepalive_ms);
  deadlines.set_duration(DeadlineKind::handler, timeouts.handler_ms);
  deadlines.set_duration(DeadlineKind::linger, timeouts.linger_ms);
  Offload::Limits limits;
  limits.threads = plan.settings.offload_threads;
  auto offload = Offload::create(**loop, limits);
  if (!offload) return Unexpected(offload.error());
  std::unique_ptr<Worker> worker(new Worker(plan, stats, std::move(*loop), std::move(*offload)));
  worker->load_modules();
  const auto mounted = worker->make_explicit_mounts();
  if (!mounted) return Unexpected(mounted.error());
  worker->make_default_mounts();
  return worker;
}

bool Worker::is_chosen(const std::string& name) const {
  const Settings& settings = plan_.settings;
  return (settings.only.empty() || contains(settings.only, name)) && !contains(settings.without, name);
}

// One that cannot be loaded is left out; that matters only to a mount that names it.
void Worker::load_modules() {
  for (const ModuleCopy& copy : plan_.modules->all) {
    if (!is_chosen(std::filesystem::path(copy.file).stem().string())) continue;
    auto file = ModuleFile::load(copy.path, copy.file);
    if (!file) {
      problems_.push_back(file.error().message);
      continue;
    }
    const std::string name = (*file)->info().name;
    if (!is_chosen(name)) continue;
    if (find_module(name) != nullptr) {
      problems_.push_back(copy.file + " is left out: another file has a module named " + name +
                          " already; remove one");
      continue;
    }
    auto shared = ModuleInstance::create_shared(services_, *file);
    if (!shared) {
      problems_.push_back(shared.error().message);
      continue;
    }
    modules_.push_back({std::move(*file), std::move(*shared)});
  }
}

Worker::Loaded* Worker::find_module(std::string_view name) {
  const auto found = std::find_if(modules_.begin(), modules_.end(),
                                  [name](const Loaded& loaded) { return loaded.file->info().name == name; });
  return found == modules_.end() ? nullptr : &*found;
}

Unexpected Worker::unknown_module(const std::string& name, const std::string& wanted_by) const {
  std::string message = wanted_by + " names the module " + name + ", which ";
  message += is_chosen(name) ? "is not in " + plan_.settings.plugins : "--module and --without leave out";
  std::string names;
  for (const Loaded& loaded : modules_)
    names += std::string(names.empty() ? "" : ", ") + loaded.file->info().name;
  message += names.empty() ? "; no module is loaded" : "; there are " + names;
  for (const std::string& problem : problems_) message += "; " + problem;
  return fail(message);
}

Result<void> Worker::make_explicit_mounts() {
  for (const std::string& name : plan_.settings.only) {
    if (find_module(name) == nullptr) return unknown_module(name, "--module " + name);
  }
  for (std::size_t i = 0; i < plan_.settings.mounts.size(); ++i) {
    const MountSpec& spec = plan_.settings.mounts[i];
    Loaded* loaded = find_module(spec.module);
    if (loaded == nullptr) return unknown_module(spec.module, "the mount " + spec.prefix);
    const MountFolder& folder = plan_.mount_folders[i];
    const auto made = make_mount(*loaded, {spec.prefix, spec.options, folder.fd, folder.path});
    if (!made) return made;
    loaded->mounted = true;
  }
  return {};
}

void Worker::make_default_mounts() {
  for (Loaded& loaded : modules_) {
    const char* prefix = loaded.file->info().default_mount;
    if (loaded.mounted || prefix == nullptr) continue;
    const std::string wanted = prefix;
    if (wanted.size() < 2 || wanted.front() != '/' || wanted.back() != '/') {
      problems_.push_back("module " + std::string(loaded.file->info().name) + " wants to answer at " + wanted +
                          ", which does not begin and end with a slash; mount it with --mount");
      continue;
    }
    const bool explicit_wins = std::any_of(plan_.settings.mounts.begin(), plan_.settings.mounts.end(),
                                           [&](const MountSpec& spec) { return spec.prefix == wanted; });
    if (explicit_wins) continue;
    const auto made = make_mount(loaded, {wanted, {}, plan_.root.get(), wanted.substr(1)});
    if (!made) problems_.push_back(made.error().message);
  }
}

Result<void> Worker::make_mount(Loaded& loaded, const MountPlan& mount) {
  const std::string module = loaded.file->info().name;
  const auto taken = std::find_if(mounts_.begin(), mounts_.end(),
                                  [&](const MountReport& report) { return report.prefix == mount.prefix; });
  if (taken != mounts_.end()) {
    return fail("module " + module + " cannot answer at " + mount.prefix + ", where " + taken->module +
                " does already: mount one of them elsewhere with --mount");
  }
  auto instance = ModuleInstance::create_handler(services_, loaded.file, loaded.shared, mount);
  if (!instance) return Unexpected(instance.error());
  router_.add(mount.prefix, *instance);
  mounts_.push_back({mount.prefix, module});
  return {};
}

Result<void> Worker::run(const std::vector<int>& sockets, int control) {
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
  for (const int socket : sockets) {
    Listener::Acceptor& acceptor = *this;
    listeners_.push_back(std::make_unique<Listener>(*loop_, context_.stats, acceptor, UniqueFd(socket)));
    const auto started = listeners_.back()->start();
    if (!started) return started;
  }
  const auto ready = static_cast<char>(ControlMessage::ready);
  if (::send(control_, &ready, 1, MSG_NOSIGNAL) != 1) return fail("the supervisor is gone");
  loop_->run();
  return {};
}

void Worker::on_events(std::uint32_t) {
  signalfd_siginfo signal{};
  while (::read(signals_.get(), &signal, sizeof(signal)) == static_cast<ssize_t>(sizeof(signal))) drain(true);
  for (;;) {
    char message = 0;
    const ssize_t got = ::recv(control_, &message, 1, MSG_DONTWAIT);
    if (got < 0) return;
    // Without a supervisor nobody would replace or end this worker.
    drain(got == 0 || static_cast<ControlMessage>(message) == ControlMessage::stop);
    if (got == 0) {
      loop_->remove(control_token_, control_);
      return;
    }
  }
}

void Worker::drain(bool limited) {
  if (!draining_) {
    draining_ = context_.draining = true;
    for (const auto& listener : listeners_) listener->finish();
    loop_->timers().start(loop_->now_ms() + kDrainCheckMs, *this);
  }
  if (limited && !limited_) {
    limited_ = true;
    drain_until_ms_ = loop_->now_ms() + plan_.settings.timeouts.drain_ms;
    connections_.close_idle();
  }
}

void Worker::fired() {
  if (limited_) {
    connections_.close_idle();
    if (loop_->now_ms() >= drain_until_ms_ && connections_.size() > 0) {
      log(LogLevel::warning,
          std::to_string(connections_.size()) + " connections are cut: the drain limit is over");
      connections_.close_all();
    }
  }
  if (connections_.size() == 0) return loop_->stop();
  loop_->timers().start(loop_->now_ms() + kDrainCheckMs, *this);
}

}  // namespace sluice
