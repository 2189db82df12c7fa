#include "server/upgrade.h"

#include <sys/socket.h>
#include <sys/wait.h>
#include <unistd.h>

#include <fmt/core.h>
#include <array>
#include <cerrno>
#include <climits>
#include <csignal>
#include <fstream>
#include <iterator>
#include <utility>
#include <vector>

#include "base/child_process.h"
#include "base/monotonic_clock.h"
#include "base/process_setup.h"

namespace sluice {
namespace {

constexpr int kNotExecuted = 127;

// The arguments of this process, as it was started.
std::vector<std::string> own_arguments() {
  std::ifstream file("/proc/self/cmdline", std::ios::binary);
  const std::string all{std::istreambuf_iterator<char>(file), {}};
  std::vector<std::string> arguments;
  for (std::size_t at = 0; at < all.size(); at += arguments.back().size() + 1)
    arguments.emplace_back(all.c_str() + at);
  return arguments;
}

[[noreturn]] void become_program(const Handover& handover, const Upgrade::Program& program,
                                 std::vector<std::string> arguments) {
  std::vector<char*> argv;
  argv.reserve(arguments.size() + 1);
  for (std::string& argument : arguments) argv.push_back(argument.data());
  argv.push_back(nullptr);
  reset_signals();
  pass_on_service_variables(program.variables);
  if (handover.pass_on()) ::execv(program.path.c_str(), argv.data());
  ::_exit(kNotExecuted);
}

std::string end_of(int status) {
  if (WIFSIGNALED(status)) return "was ended by " + signal_name(WTERMSIG(status));
  if (WEXITSTATUS(status) == kNotExecuted) return "could not be executed";
  return fmt::format("ended with exit code {}", WEXITSTATUS(status));
}

}  // namespace

std::string own_program() {
  std::array<char, PATH_MAX> path;
  const ssize_t size = ::readlink("/proc/self/exe", path.data(), path.size());
  return size <= 0 ? std::string() : std::string(path.data(), static_cast<std::size_t>(size));
}

Result<std::unique_ptr<Upgrade>> Upgrade::begin(EventLoop& loop, Handover handover, const Program& program,
                                                Ended ended) {
  if (::access(program.path.c_str(), X_OK) != 0)
    return fail_errno(fmt::format("the program {} cannot be executed", program.path), errno);
  const std::vector<std::string> arguments = own_arguments();
  if (arguments.empty()) return fail("the arguments of this process are not known: /proc has to be mounted");
  int ends[2];
  if (::socketpair(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC | SOCK_NONBLOCK, 0, ends) != 0)
    return fail_errno("there is no socket to talk to the new program", errno);
  UniqueFd channel(ends[0]);
  handover.channel.reset(ends[1]);
  const pid_t pid = ::fork();
  if (pid < 0) return fail_errno("the new program cannot be started", errno);
  if (pid == 0) become_program(handover, program, arguments);
  std::unique_ptr<Upgrade> upgrade(new Upgrade(loop, std::move(channel), pid, std::move(ended)));
  if (!upgrade->heard_.begin(loop, upgrade->channel_.get(), EPOLLIN, *upgrade))
    return fail_errno("the new program cannot be heard", errno);
  upgrade->late_.at(monotonic_ms() + program.limit_ms);
  return upgrade;
}

Upgrade::Upgrade(EventLoop& loop, UniqueFd channel, pid_t pid, Ended ended)
    : channel_(std::move(channel)),
      late_(loop, [this] { end(fail("the new program does not get ready in time")); }),
      pid_(pid),
      ended_(std::move(ended)) {}

Upgrade::~Upgrade() {
  if (!serves_ && pid_ > 0) ::kill(pid_, SIGKILL);
}

void Upgrade::on_events(std::uint32_t) {
  char message = 0;
  const ssize_t got = ::recv(channel_.get(), &message, 1, MSG_DONTWAIT);
  if (got == 1 && message == Handover::kReady) return end({});
  // Its end says more, and comes with a signal.
  if (got == 0) heard_.end();
}

void Upgrade::let_serve() {
  serves_ = true;
  static_cast<void>(::send(channel_.get(), &Handover::kServe, 1, MSG_NOSIGNAL | MSG_DONTWAIT));
}

bool Upgrade::child_ended(pid_t pid, int status) {
  if (pid != pid_) return false;
  pid_ = -1;
  end(fail(fmt::format("the new program {}; the lines above say why", end_of(status))));
  return true;
}

void Upgrade::close_for_child() {
  serves_ = true;  // it is not this process' to end
  heard_.end();
  channel_.reset();
}

void Upgrade::end(const Result<void>& outcome) {
  heard_.end();
  late_.off();
  const Ended ended = std::exchange(ended_, {});
  if (ended) ended(outcome);
}

}  // namespace sluice
