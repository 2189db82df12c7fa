#include "log.h"

#include <unistd.h>

#include <atomic>
#include <cerrno>
#include <climits>
#include <cstdio>
#include <cstring>
#include <ctime>

#include "utc_time.h"

namespace sluice {
namespace {

// A pipe takes this much in one piece, never interleaved with another process' line (pipe(7)).
constexpr std::size_t kLineMax = PIPE_BUF;

std::atomic<int> log_fd{STDERR_FILENO};
std::atomic<LogLevel> log_level{LogLevel::info};
std::atomic<unsigned> lines_lost{0};
char process_name[32] = "sluice";

constexpr const char* kLevelNames[] = {"debug", "info", "warning", "error"};

struct Line {
  char text[kLineMax];
  std::size_t size = 0;

  void put(char byte) {
    if (size < kLineMax - 1) text[size++] = byte;
  }
  void put(std::string_view bytes) {
    for (const char byte : bytes) put(byte);
  }
  // What a client sent may stand in a message: no byte of it may forge a line or drive a terminal.
  void put_escaped(std::string_view bytes) {
    constexpr char kHex[] = "0123456789abcdef";
    for (const char byte : bytes) {
      const auto code = static_cast<unsigned char>(byte);
      if (code >= 0x20 && code != 0x7f) {
        put(byte);
      } else {
        put("\\x");
        put(kHex[code >> 4]);
        put(kHex[code & 15]);
      }
    }
  }
};

void begin(Line& line, LogLevel level) {
  timespec now{};
  clock_gettime(CLOCK_REALTIME, &now);
  const UtcTime utc = utc_time(now.tv_sec);
  char stamp[64];
  std::snprintf(stamp, sizeof(stamp), "%04d-%02d-%02dT%02d:%02d:%02d.%03ldZ ", utc.year, utc.month, utc.day,
                utc.hour, utc.minute, utc.second, now.tv_nsec / 1'000'000);
  line.put(stamp);
  line.put(kLevelNames[static_cast<unsigned>(level)]);
  line.put(' ');
  line.put(process_name);
  line.put(": ");
}

bool write_line(Line& line) {
  line.text[line.size++] = '\n';
  ssize_t written = 0;
  do {
    written = ::write(log_fd.load(std::memory_order_relaxed), line.text, line.size);
  } while (written < 0 && errno == EINTR);
  return written >= 0;
}

}  // namespace

void set_log(LogLevel level, std::string_view process) {
  log_level = level;
  std::snprintf(process_name, sizeof(process_name), "%.*s", static_cast<int>(process.size()), process.data());
}

void set_log_fd(int fd) {
  log_fd = fd;
}

void log(LogLevel level, std::string_view message) {
  if (level < log_level.load(std::memory_order_relaxed)) return;
  const int saved_errno = errno;
  Line line;
  begin(line, level);
  line.put_escaped(message);
  if (!write_line(line)) {
    lines_lost.fetch_add(1, std::memory_order_relaxed);
  } else if (const unsigned lost = lines_lost.exchange(0, std::memory_order_relaxed); lost > 0) {
    Line notice;
    begin(notice, LogLevel::warning);
    char text[64];
    std::snprintf(text, sizeof(text), "%u log lines were lost: the log is read too slowly", lost);
    notice.put(text);
    if (!write_line(notice)) lines_lost.fetch_add(lost, std::memory_order_relaxed);
  }
  errno = saved_errno;
}

}  // namespace sluice
