#include "process/access_log_writer.h"

#include <fmt/core.h>
#include <poll.h>
#include <sys/prctl.h>
#include <sys/socket.h>
#include <unistd.h>

#include <algorithm>
#include <csignal>
#include <list>
#include <map>
#include <utility>
#include <vector>

#include "base/log.h"
#include "base/netstring.h"
#include "process/access_file.h"

namespace sluice {
namespace {

// While lines come, they are taken this often: many at once cost less.
constexpr int kPauseMs = 20;
// Of one ring at once. The others come next.
constexpr int kLinesMax = 4096;
constexpr std::size_t kMessageMax = 8 * 1024;

class Writer {
 public:
  Writer(AccessRings& rings, int wake_fd, int control) : rings_(rings), wake_fd_(wake_fd), control_(control) {}

  void run() {
    while (is_told_ || !is_empty_ || has_workers()) {
      is_empty_ = !take_lines();
      for (AccessFile& file : files_) file.flush();
      wait();
    }
  }

 private:
  using Number = std::pair<std::uint32_t, std::uint16_t>;

  bool take_lines() {
    bool any = false;
    for (AccessRing& ring : rings_.rings) {
      // A writer that has just been started may not have heard of the logs yet. Number 0 is told last.
      if (!ring.is_free() && logs_.contains({ring.plan(), std::uint16_t{0}})) any = take_from(ring) || any;
    }
    return any;
  }

  // Whether some go on, should the supervisor have been killed.
  bool has_workers() const {
    return std::any_of(std::begin(rings_.rings), std::end(rings_.rings),
                       [](const AccessRing& ring) { return !ring.is_free() && ring.has_worker(); });
  }

  bool take_from(AccessRing& ring) {
    bool broken = false;
    int lines = 0;
    std::uint16_t number = 0;
    while (lines < kLinesMax && ring.take(number, line_, broken)) {
      ++lines;
      const auto log = logs_.find({ring.plan(), number});
      if (log != logs_.end()) log->second->add(line_);
    }
    if (broken) log(LogLevel::error, "the access log has lost lines: a worker has overwritten its ring");
    if (const std::uint64_t dropped = ring.take_dropped(); dropped > 0)
      log(LogLevel::warning, fmt::format("the access log is behind: {} lines were dropped", dropped));
    if (lines == 0) ring.free_if_left();
    return lines > 0;
  }

  // Until there may be something to do.
  void wait() {
    pollfd events[] = {{is_told_ ? control_ : -1, POLLIN, 0}, {wake_fd_, POLLIN, 0}};
    if (is_empty_ && is_told_) {
      rings_.writer_sleeps.store(1, std::memory_order_seq_cst);
      is_empty_ = !take_lines();  // what was pushed before that
    }
    ::poll(events, 2, is_empty_ && is_told_ && !waits_for_reader() ? -1 : kPauseMs);
    rings_.writer_sleeps.store(0, std::memory_order_seq_cst);
    std::uint64_t count = 0;
    if ((events[1].revents & POLLIN) != 0 && ::read(wake_fd_, &count, sizeof(count)) < 0) return;
    if (events[0].revents != 0) hear();
  }

  bool waits_for_reader() const {
    return std::any_of(files_.begin(), files_.end(), [](const AccessFile& file) { return file.has_lines(); });
  }

  void hear() {
    char bytes[kMessageMax];
    const ssize_t size = ::recv(control_, bytes, sizeof(bytes), MSG_DONTWAIT);
    if (size == 0) is_told_ = false;
    if (size <= 0) return;
    NetstringReader fields(std::string_view(bytes, static_cast<std::size_t>(size)));
    if (fields.next() == "reopen") {
      for (AccessFile& file : files_) {
        file.flush();
        file.open();
      }
      return;
    }
    const auto plan = static_cast<std::uint32_t>(fields.next_number());
    const auto number = static_cast<std::uint16_t>(fields.next_number());
    forget_unused(plan);
    logs_[{plan, number}] = &file(fields.next());
  }

  // Plans before this one whose workers have all gone.
  void forget_unused(std::uint32_t newest) {
    std::erase_if(logs_, [&](const auto& log) {
      const std::uint32_t plan = log.first.first;
      return plan != newest &&
             std::none_of(std::begin(rings_.rings), std::end(rings_.rings),
                          [&](const AccessRing& ring) { return !ring.is_free() && ring.plan() == plan; });
    });
    files_.remove_if([&](AccessFile& file) {
      const bool used =
          std::any_of(logs_.begin(), logs_.end(), [&](const auto& log) { return log.second == &file; });
      if (!used) file.flush();
      return !used;
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
  std::map<Number, AccessFile*> logs_;
  std::string line_;
  bool is_told_ = true;  // the supervisor is there
  bool is_empty_ = true;
};

}  // namespace

bool send_message(int socket, const AccessLogMessage& message) {
  NetstringWriter fields;
  if (message.kind == AccessLogMessage::Kind::reopen) {
    fields.put("reopen");
  } else {
    fields.put("log").put(message.plan).put(message.number).put(message.path);
  }
  const std::string bytes = fields.take();
  return ::send(socket, bytes.data(), bytes.size(), MSG_DONTWAIT | MSG_NOSIGNAL) ==
         static_cast<ssize_t>(bytes.size());
}

void run_access_log_writer(AccessRings& rings, int wake_fd, int control) {
  ::prctl(PR_SET_NAME, "sluice-log");
  // It ends with its supervisor, after the last line: not by the signals that a terminal sends to all.
  for (const int signal : {SIGINT, SIGQUIT, SIGHUP, SIGTERM, SIGPIPE}) ::signal(signal, SIG_IGN);
  ::signal(SIGCHLD, SIG_DFL);
  Writer(rings, wake_fd, control).run();
  ::_exit(0);
}

}  // namespace sluice
