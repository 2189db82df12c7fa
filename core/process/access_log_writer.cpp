#include "process/access_log_writer.h"

#include <fmt/core.h>
#include <linux/close_range.h>
#include <poll.h>
#include <sys/prctl.h>
#include <sys/socket.h>
#include <unistd.h>

#include <algorithm>
#include <csignal>
#include <list>
#include <map>

#include "base/log.h"
#include "base/monotonic_clock.h"
#include "base/netstring.h"
#include "base/process_setup.h"
#include "process/access_file.h"

namespace sluice {
namespace {

// While lines come, they are taken this often, since many at once cost less. A ring that is half full wakes
// earlier.
constexpr int kPauseMs = 20;
// A worker that is killed before it wakes the writer delays lines by this.
constexpr int kSleepMs = 1000;
// Of one ring at once. The others come next.
constexpr int kLinesMax = 4096;
// For readers that are slow, when the server ends.
constexpr std::uint64_t kSlowReadersMs = 1500;
constexpr std::string_view kReopen = "reopen";
constexpr std::string_view kForget = "forget";

class Writer {
 public:
  Writer(AccessRings& rings, int wake_fd, int control)
      : rings_(rings), wake_fd_(wake_fd), control_(control), message_(kAccessLogsMessageMax, '\0') {}

  void run() {
    std::uint64_t until_ms = 0;
    for (bool ends = false; !ends;) {
      const bool is_last = !is_told_ && !has_workers();
      const bool any = take_lines();
      for (AccessFile& file : files_) file.flush();
      if (is_last && until_ms == 0) until_ms = monotonic_ms() + kSlowReadersMs;
      ends = is_last && !any && (!waits_for_reader() || monotonic_ms() >= until_ms);
      if (!ends) wait(any);
    }
    files_.clear();
  }

 private:
  bool take_lines() {
    bool any = false;
    for (std::size_t i = 0; i < AccessRings::kCount; ++i) {
      if (!rings_.uses[i].is_free()) any = take_from(i) || any;
    }
    return any;
  }

  bool take_from(std::size_t index) {
    AccessRingUse& use = rings_.uses[index];
    AccessRing& ring = rings_.rings[index];
    const auto plan = plans_.find(use.plan());
    if (plan == plans_.end()) return false;  // a writer that has just been started has not heard of it yet
    const bool is_left = use.is_left();
    bool broken = false;
    int lines = 0;
    const auto file_of = [&](std::uint16_t number) {
      return number < plan->second.size() ? plan->second[number]->collect() : nullptr;
    };
    while (lines < kLinesMax && ring.take(file_of, broken)) ++lines;
    if (broken) log(LogLevel::error, "the access log has lost lines: a worker has overwritten them");
    if (const std::uint64_t dropped = ring.take_dropped(); dropped > 0)
      log(LogLevel::warning, fmt::format("the access log is behind: {} lines were dropped", dropped));
    // A process that the kernel does not let end may still push.
    if (is_left && lines == 0 && !use.has_worker()) use.free();
    return lines > 0;
  }

  // Whether some go on, should the supervisor have been killed.
  bool has_workers() const {
    return std::any_of(std::begin(rings_.uses), std::end(rings_.uses),
                       [](const AccessRingUse& use) { return !use.is_free() && use.has_worker(); });
  }

  // Until there may be something to do.
  void wait(bool any) {
    const bool sleeps = !any && is_told_ && !waits_for_reader();
    if (sleeps) {
      rings_.writer_sleeps.store(1, std::memory_order_seq_cst);
      if (take_lines()) {  // what was pushed before that
        rings_.writer_sleeps.store(0, std::memory_order_relaxed);
        return;
      }
    }
    pollfd events[] = {{is_told_ ? control_ : -1, POLLIN, 0}, {wake_fd_, POLLIN, 0}};
    ::poll(events, 2, sleeps ? kSleepMs : kPauseMs);
    rings_.writer_sleeps.store(0, std::memory_order_seq_cst);
    std::uint64_t count = 0;
    [[maybe_unused]] const ssize_t woken = ::read(wake_fd_, &count, sizeof(count));
    if (events[0].revents != 0) hear();
  }

  bool waits_for_reader() const {
    return std::any_of(files_.begin(), files_.end(), [](const AccessFile& file) { return file.has_lines(); });
  }

  void hear() {
    const ssize_t size = ::recv(control_, message_.data(), message_.size(), MSG_DONTWAIT);
    if (size == 0) is_told_ = false;
    if (size <= 0) return;
    NetstringReader fields(std::string_view(message_.data(), static_cast<std::size_t>(size)));
    const std::string_view first = fields.next();
    if (first == kReopen) {
      for (AccessFile& file : files_) {
        file.flush();
        file.open();
      }
      return;
    }
    if (first == kForget) {
      plans_.erase(static_cast<std::uint32_t>(fields.next_number()));
      return forget_files();
    }
    std::vector<AccessFile*> logs;
    while (!fields.at_end()) logs.push_back(&file(fields.next()));
    plans_[static_cast<std::uint32_t>(parse_decimal(first).value_or(0))] = std::move(logs);
  }

  // Those that no plan names.
  void forget_files() {
    files_.remove_if([&](const AccessFile& file) {
      return std::none_of(plans_.begin(), plans_.end(), [&](const auto& plan) {
        return std::find(plan.second.begin(), plan.second.end(), &file) != plan.second.end();
      });
    });
  }

  AccessFile& file(std::string_view path) {
    const auto known =
        std::find_if(files_.begin(), files_.end(), [&](const AccessFile& file) { return file.path() == path; });
    return known != files_.end() ? *known : files_.emplace_back(std::string(path));
  }

  AccessRings& rings_;
  const int wake_fd_;
  const int control_;
  std::list<AccessFile> files_;
  std::map<std::uint32_t, std::vector<AccessFile*>> plans_;  // by number
  std::string message_;
  bool is_told_ = true;  // the supervisor is there
};

// Whatever was open when the process was forked would stay open as long as it runs.
void close_all_but(std::vector<int> kept) {
  std::sort(kept.begin(), kept.end());
  unsigned next = STDERR_FILENO + 1;
  for (const int fd : kept) {
    const auto number = static_cast<unsigned>(fd);
    if (number > next) ::close_range(next, number - 1, 0);
    next = std::max(next, number + 1);
  }
  ::close_range(next, ~0U, 0);
}

}  // namespace

std::string paths_message(std::uint32_t plan, const std::vector<std::string>& paths) {
  NetstringWriter fields;
  fields.put(plan);
  for (const std::string& path : paths) fields.put(path);
  return fields.take();
}

std::string forget_message(std::uint32_t plan) {
  return NetstringWriter().put(kForget).put(plan).take();
}

std::string reopen_message() {
  return NetstringWriter().put(kReopen).take();
}

void run_access_log_writer(AccessRings& rings, int wake_fd, int control, int log_fd) noexcept {
  ::prctl(PR_SET_NAME, "sluice-log");
  // It ends with its supervisor, after the last line: not by the signals that a terminal sends to all.
  for (const int signal : {SIGINT, SIGQUIT, SIGHUP, SIGTERM, SIGPIPE}) ::signal(signal, SIG_IGN);
  ::signal(SIGCHLD, SIG_DFL);
  close_all_but({wake_fd, control, log_fd});
  leave_memory_out_of_dumps();
  set_log(LogLevel::info, "access log");
  Writer(rings, wake_fd, control).run();
  ::_exit(0);
}

}  // namespace sluice
