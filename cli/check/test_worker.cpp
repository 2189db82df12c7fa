#include "check/test_worker.h"

#include <netinet/in.h>
#include <sys/mman.h>
#include <sys/socket.h>

#include <fmt/core.h>
#include <algorithm>
#include <cerrno>
#include <cstring>
#include <ctime>

#include "base/code_in_memory.h"
#include "base/log.h"
#include "base/monotonic_clock.h"
#include "base/process_setup.h"
#include "check/faults.h"
#include "check/resources.h"

namespace sluice::cli {
namespace {

constexpr std::size_t kOutputSize = 32 * 1024;
constexpr std::uint64_t kShortMs = 2'000;  // more than a handler may take
constexpr int kSmallBuffer = 4096;
// A stream counts as endless if it sends nothing for this long, or lasts kStreamMaxTimes as long.
constexpr std::uint64_t kQuietMaxMs = 1'000;
constexpr unsigned kQuietTurns = 100;
constexpr std::uint64_t kStreamMaxTimes = 10;
constexpr unsigned kOffloadThreads = 4;
constexpr std::uint64_t kDescriptors = 4096;

// A handler that sleeps this long in one turn delays every other connection.
constexpr std::uint64_t kSleepMaxUs = 10'000;
constexpr std::uint64_t kPageMaxUs = 200'000;  // the longest that one page takes from a busy disk
// From this time on a running server names the module in its log.
constexpr std::uint64_t kComputeMaxUs = 100'000;

void pause_briefly() {
  const timespec pause{0, 100'000};
  ::nanosleep(&pause, nullptr);
}

std::uint64_t processor_ns() {
  timespec used{};
  clock_gettime(CLOCK_THREAD_CPUTIME_ID, &used);
  return static_cast<std::uint64_t>(used.tv_sec) * 1'000'000'000 + static_cast<std::uint64_t>(used.tv_nsec);
}

std::string milliseconds(std::uint64_t us) {
  return std::to_string((us + 999) / 1000) + " ms";
}

}  // namespace

TestWorker::TestWorker(const ModuleUnderCheck& subject, Findings& findings, std::unique_ptr<EventLoop> loop,
                       std::unique_ptr<Offload> offload, std::unique_ptr<WorkerStats> stats,
                       std::unique_ptr<TurnAudit> audit, UniqueFd log)
    : subject_(subject),
      findings_(findings),
      stats_(std::move(stats)),
      loop_(std::move(loop)),
      offload_(std::move(offload)),
      log_(std::move(log)),
      inputs_(limits_.head_bytes_max),
      outputs_(kOutputSize),
      context_{{*loop_, router_, site_.sites, limits_, *stats_}, date_, inputs_, outputs_},
      connections_(context_),
      services_{*loop_, *offload_, *stats_, connections_},
      audit_(std::move(audit)),
      threads_(measure_resources().threads) {}

TestWorker::~TestWorker() {
  connections_.close_all();
  router_.clear();
  settle();
  offload_.reset();
  loop_->turn(0);
}

Result<std::unique_ptr<TestWorker>> TestWorker::create(const ModuleUnderCheck& subject, Findings& findings) {
  UniqueFd log(::memfd_create("log", MFD_CLOEXEC));
  if (!log) return fail_errno("cannot keep the log of the check", errno);
  set_log(LogLevel::warning, "check");
  set_log_fd(log.get());
  reserve_descriptors(kDescriptors);
  auto stats = std::make_unique<WorkerStats>();
  auto loop = EventLoop::create(*stats);
  if (!loop) return Unexpected(loop.error());
  Timeouts timeouts;
  timeouts.handler_ms = subject.request().handler_ms;
  (*loop)->deadlines().set_durations(timeouts);
  Offload::Limits limits;
  limits.threads = kOffloadThreads;
  auto offload = Offload::create(**loop, limits);
  if (!offload) return Unexpected(offload.error());
  auto audit = TurnAudit::create();
  if (!audit) return Unexpected(audit.error());
  auto state = SharedState::make();
  if (!state) return Unexpected(state.error());
  std::unique_ptr<TestWorker> worker(new TestWorker(subject, findings, std::move(*loop), std::move(*offload),
                                                    std::move(stats), std::move(*audit), std::move(log)));
  worker->services_.state.state = std::move(*state);
  return worker;
}

Result<Generation> TestWorker::load(unsigned generation) {
  doing("it is created");
  Generation made;
  made.path = subject_.copy(generation);
  auto file = ModuleFile::load(made.path, "it");
  if (!file) return Unexpected(file.error());
  const char* prefix = (*file)->info().default_mount;
  prefix_ = prefix == nullptr ? "/check/" : prefix;
  made.file = *file;
  Result<InstanceRef> shared = InstanceRef();
  measured([&] { shared = ModuleInstance::create_shared(services_, *file); });
  if (!shared) return Unexpected(shared.error());
  made.shared = std::move(*shared);
  auto handler = make_handler(made, subject_.request().options);
  if (!handler) return Unexpected(handler.error());
  made.handler = std::move(*handler);
  return made;
}

Result<InstanceRef> TestWorker::make_handler(const Generation& generation, const MountOptions& options) {
  const auto file = generation.file.lock();
  MountPlan plan{prefix_, options, subject_.root_fd(), ""};
  plan.filter = file->filter_maker() != nullptr;
  Result<InstanceRef> handler = InstanceRef();
  measured([&] { handler = ModuleInstance::create_mounted(services_, file, generation.shared, plan); });
  return handler;
}

void TestWorker::mount(const Generation& generation) {
  router_.clear();
  // Behind a filter, the server answers 404.
  if (generation.file.lock()->filter_maker() != nullptr)
    return router_.add_filter(0, prefix_, generation.handler);
  router_.add(0, prefix_, generation.handler);
}

void TestWorker::retire(const Generation& generation) {
  doing("it is retired");
  measured([&] {
    generation.handler->retire();
    if (generation.shared) generation.shared->retire();
  });
}

void TestWorker::unmount() {
  router_.clear();
}

Leftover TestWorker::give_up(Generation& generation) {
  // As a server does at a swap, so that the module can let threads close what is slow to close.
  if (generation.handler && !generation.handler->retired()) retire(generation);
  doing("it is destroyed");
  std::shared_ptr<ModuleFile> file = generation.file.lock();
  generation.handler = InstanceRef();
  generation.shared = InstanceRef();
  if (!settle() || !run(nullptr, [&] { return file.use_count() <= 1; })) return Leftover::held;
  if (!run(nullptr, [&] { return measure_resources().threads <= threads_; })) {
    new std::shared_ptr<ModuleFile>(std::move(file));  // kept until this process ends
    return Leftover::running;
  }
  file.reset();
  return is_mapped(generation.path) ? Leftover::mapped : Leftover::none;
}

std::string TestWorker::target(const std::string& path) const {
  return path.starts_with('/') ? path : prefix_ + path;
}

std::unique_ptr<Client> TestWorker::connect(bool small_buffers) {
  UniqueFd listener(::socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0));
  UniqueFd client(::socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0));
  sockaddr_in address{};
  address.sin_family = AF_INET;
  address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
  socklen_t length = sizeof(address);
  auto* raw = reinterpret_cast<sockaddr*>(&address);
  if (small_buffers) {
    ::setsockopt(listener.get(), SOL_SOCKET, SO_SNDBUF, &kSmallBuffer, sizeof(kSmallBuffer));
    ::setsockopt(client.get(), SOL_SOCKET, SO_RCVBUF, &kSmallBuffer, sizeof(kSmallBuffer));
  }
  if (::bind(listener.get(), raw, length) != 0 || ::listen(listener.get(), 1) != 0 ||
      ::getsockname(listener.get(), raw, &length) != 0 || ::connect(client.get(), raw, length) != 0) {
    findings_.fail("requests",
                   "nothing can be asked without a loopback network: " + std::string(std::strerror(errno)));
    return nullptr;
  }
  connections_.accept(UniqueFd(::accept4(listener.get(), nullptr, nullptr, SOCK_NONBLOCK | SOCK_CLOEXEC)),
                      site_.address);
  return std::make_unique<Client>(std::move(client));
}

// Waiting for a processor counts as neither sleeping nor computing, so that a busy machine accuses no module.
LoopUse TestWorker::use_of(const std::function<void()>& call) {
  audit_->begin();
  const std::uint64_t began_ns = monotonic_ns();
  const std::uint64_t computed_ns = processor_ns();
  call();
  LoopUse use;
  use.computed_us = (processor_ns() - computed_ns) / 1000;
  const AuditedTurn turn = audit_->end(monotonic_ns() - began_ns);
  const std::uint64_t net_us = turn.net_ns / 1000;
  if (turn.sleeps > 0 && net_us > use.computed_us) {
    const std::uint64_t waited_us = net_us - use.computed_us;
    (waited_us <= turn.disk_pages * kPageMaxUs ? use.paged_us : use.slept_us) = waited_us;
  }
  return use;
}

void TestWorker::measured(const std::function<void()>& call) {
  const LoopUse use = use_of(call);
  // Many turns may sleep for a moment each, as those of a large answer do, without delaying others.
  request_use_.slept_us = std::max(request_use_.slept_us, use.slept_us);
  request_use_.computed_us = std::max(request_use_.computed_us, use.computed_us);
  if (use.slept_us >= kSleepMaxUs) {
    findings_.fail(
        "loop", "it slept on the loop, and all other connections waited: hand blocking calls to Host::offload",
        doing_ + " (" + milliseconds(use.slept_us) + ")");
  } else if (use.computed_us >= kComputeMaxUs) {
    findings_.fail("loop",
                   "it computed without a break, and all other connections waited: do it in parts, or hand it "
                   "to Host::offload",
                   doing_ + " (" + milliseconds(use.computed_us) + ")");
  } else if (use.paged_us >= kSleepMaxUs) {
    findings_.advise(
        "loop",
        "it waited on the loop for pages that were read from a disk: they may have been the program's own, but "
        "a mapped file is better read by Host::offload",
        doing_ + " (" + milliseconds(use.paged_us) + ")");
  }
  collect_faults();
}

void TestWorker::turn() {
  measured([this] { loop_->turn(0); });
}

// The limit of time starts anew whenever bytes move.
bool TestWorker::run(Client* client, const std::function<bool()>& ready) {
  const std::uint64_t limit_ms = kShortMs + 2 * subject_.request().handler_ms;
  std::uint64_t until_ms = loop_->now_ms() + limit_ms;
  while (!ready()) {
    if (overdue_ || loop_->now_ms() >= until_ms) return false;
    turn();
    const bool moved = client != nullptr && client->step();
    if (moved) until_ms = loop_->now_ms() + limit_ms;
    if (!moved && !ready()) pause_briefly();
  }
  return true;
}

bool TestWorker::is_endless(const std::string& target) const {
  return ("\n" + subject_.streams().get()).find("\n" + target + "\n") != std::string::npos;
}

void TestWorker::note_endless(const std::string& target) {
  if (is_endless(target)) return;
  subject_.streams().set(subject_.streams().get() + target + "\n");
  findings_.advise(
      "requests",
      "its stream did not end, so only its beginning was checked: if it should end, see that the body is "
      "resumed after it parks",
      doing_);
}

// A stream may send nothing for as long as it likes, or never end.
bool TestWorker::await(Client& client, const std::string& target) {
  const bool known = is_endless(target);
  const std::uint64_t quiet_ms = std::min<std::uint64_t>(kQuietMaxMs, subject_.request().handler_ms / 2);
  std::uint64_t received = 0;
  std::uint64_t moved_ms = loop_->now_ms();
  std::uint64_t began_ms = 0;
  unsigned quiet_turns = 0;
  bool endless = false;
  run(&client, [&] {
    if (client.done() || client.ended()) return true;
    const std::uint64_t now_ms = loop_->now_ms();
    ++quiet_turns;
    if (client.received() != received) {
      received = client.received();
      moved_ms = now_ms;
      quiet_turns = 0;
    }
    if (!client.streaming()) return false;
    if (began_ms == 0) began_ms = now_ms;
    // Time alone would accuse the module on a busy machine, so turns of the loop count as well.
    const bool quiet = quiet_turns >= kQuietTurns && now_ms - moved_ms >= quiet_ms;
    endless = known || quiet || now_ms - began_ms >= kStreamMaxTimes * quiet_ms;
    return endless;
  });
  if (endless) note_endless(target);
  return endless;
}

bool TestWorker::settle() {
  const std::uint64_t until_ms = loop_->now_ms() + kShortMs + subject_.request().handler_ms;
  for (;;) {
    turn();
    if (connections_.size() == 0 && offload_->idle()) break;
    if (loop_->now_ms() >= until_ms) return false;
    pause_briefly();
  }
  turn();  // handles what the last connections released
  return true;
}

std::optional<ClientAnswer> TestWorker::ask(const std::string& method, const std::string& target,
                                            const std::string& rest) {
  doing(fmt::format("{} {} is answered", method, target));
  const auto client = connect();
  if (client == nullptr) return std::nullopt;
  request_use_ = LoopUse{};
  client->send(fmt::format("{} {} HTTP/1.1\r\nHost: check\r\n{}", method, target, rest), 1, method == "HEAD");
  if (await(*client, target) && client->trouble().empty()) {
    ClientAnswer beginning = client->current();
    beginning.endless = true;
    beginning.size = 0;
    beginning.hash = 0;
    client->leave(true);
    collect_faults();
    return beginning;
  }
  if (!judge(*client)) return std::nullopt;
  return client->answers().front();
}

bool TestWorker::judge(const Client& client, std::string_view check) {
  collect_faults();
  if (client.done() && client.trouble().empty()) return true;
  // If the core has reported the fault already, its sentence is the better one.
  if (!faulted()) {
    const std::string trouble = client.trouble().empty() ? "no answer came" : client.trouble();
    findings_.fail(
        check, trouble + ": see that the body goes on until it is done, and is resumed after it parks", doing_);
  }
  return false;
}

void TestWorker::doing(const std::string& what) {
  doing_ = what;
  faults_before_ = stats_->module_faults.get();
  subject_.note().set(what);
}

void TestWorker::collect_faults() {
  char buffer[4096];
  std::string text;
  ssize_t got = 0;
  while ((got = ::pread(log_.get(), buffer, sizeof(buffer), static_cast<off_t>(log_read_))) > 0) {
    log_read_ += static_cast<std::size_t>(got);
    text.append(buffer, static_cast<std::size_t>(got));
  }
  if (!text.empty()) overdue_ = report_faults(text, doing_, findings_) || overdue_;
}

}  // namespace sluice::cli
