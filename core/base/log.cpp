#include "base/log.h"

#include <unistd.h>

#include <algorithm>
#include <atomic>
#include <cerrno>
#include <climits>
#include <cstdio>
#include <cstring>
#include <ctime>
#include <exception>
#include <iterator>

#include "base/monotonic_clock.h"
#include "base/utc_time.h"

namespace sluice {
namespace {

// A pipe takes this much in one piece, never mixed with another process' line (pipe(7)).
constexpr std::size_t kLineMax = PIPE_BUF;
// A long message leaves so much for those whom the line is about.
constexpr std::size_t kContextMax = 1024;

std::atomic<int> log_fd{STDERR_FILENO};
std::atomic<LogLevel> log_level{LogLevel::info};
std::atomic<unsigned> lines_lost{0};
char process_name[32] = "sluice";

// How many lines of one cause may come at once, and how often one more after that. Once lines are left out,
// the next one is written only when half of a burst may come again.
constexpr std::uint64_t kBurst = 100;
constexpr std::uint64_t kEveryMs = 100;
// Lines of one cause are those that begin alike, except for numbers.
constexpr std::size_t kAlikeBytes = 48;

// Between two lines of one cause of log_rarely.
constexpr std::uint64_t kRareMs = 10'000;

struct Cause {
  std::atomic<std::uint64_t> paid_until_ms{0};  // each line costs kEveryMs
  std::atomic<std::uint64_t> rare_until_ms{0};
  std::atomic<std::uint32_t> left_out{0};
};
// By the hash of a line's beginning. Two causes with one hash share a limit.
Cause causes[256];

constexpr const char* kLevelNames[] = {"debug", "info", "warning", "error"};

// The size of the UTF-8 character at the beginning; 0 for a control character, or if it is not well-formed
// (RFC 3629). REQUIRES: not empty.
std::size_t printable_length(std::string_view bytes) {
  const auto at = [&](std::size_t i) { return static_cast<unsigned char>(bytes[i]); };
  const unsigned char first = at(0);
  if (first < 0x80) return first >= 0x20 && first != 0x7f ? 1 : 0;
  const std::size_t length = first < 0xc2 ? 0 : first < 0xe0 ? 2 : first < 0xf0 ? 3 : first < 0xf5 ? 4 : 0;
  if (length == 0 || bytes.size() < length) return 0;
  for (std::size_t i = 1; i < length; ++i) {
    if ((at(i) & 0xc0) != 0x80) return 0;
  }
  const bool is_control = first == 0xc2 && at(1) < 0xa0;
  const bool is_too_long = (first == 0xe0 && at(1) < 0xa0) || (first == 0xf0 && at(1) < 0x90);
  const bool is_no_character = (first == 0xed && at(1) >= 0xa0) || (first == 0xf4 && at(1) >= 0x90);
  return is_control || is_too_long || is_no_character ? 0 : length;
}

struct Line {
  char text[kLineMax];
  std::size_t size = 0;
  std::size_t kept = 1;  // bytes at the end that are not filled now

  void put(char byte) {
    if (size < kLineMax - kept) text[size++] = byte;
  }
  void put(std::string_view bytes) {
    for (const char byte : bytes) put(byte);
  }
  // A message may contain what a client sent. No byte of it may forge a line or control a terminal, so
  // control characters are escaped, also U+0080 to U+009F, as a lone byte or in UTF-8. All other well-formed
  // UTF-8 stays.
  void put_escaped(std::string_view bytes) {
    while (!bytes.empty()) {
      const std::size_t length = printable_length(bytes);
      if (length == 0) {
        put_hex(static_cast<unsigned char>(bytes.front()));
        bytes.remove_prefix(1);
      } else {
        put(bytes.substr(0, length));
        bytes.remove_prefix(length);
      }
    }
  }
  void put_hex(unsigned char code) {
    constexpr char kHex[] = "0123456789abcdef";
    put("\\x");
    put(kHex[code >> 4]);
    put(kHex[code & 15]);
  }
};

Cause& cause_of(LogLevel level, std::string_view message) {
  std::uint32_t hash = 2166136261U + static_cast<std::uint32_t>(level);  // FNV-1a
  for (const char byte : message.substr(0, kAlikeBytes)) {
    if (byte < '0' || byte > '9') hash = (hash ^ static_cast<unsigned char>(byte)) * 16777619U;
  }
  return causes[(hash ^ (hash >> 16)) % std::size(causes)];
}

// Whether one more line of this cause may be written now.
bool take_turn(Cause& cause, std::uint64_t now_ms) {
  const bool too_many = cause.left_out.load(std::memory_order_relaxed) > 0;
  const std::uint64_t credit_ms = (too_many ? kBurst / 2 : kBurst) * kEveryMs;
  std::uint64_t paid_until_ms = cause.paid_until_ms.load(std::memory_order_relaxed);
  do {
    if (paid_until_ms >= now_ms + credit_ms) return false;
  } while (!cause.paid_until_ms.compare_exchange_weak(paid_until_ms, std::max(paid_until_ms, now_ms) + kEveryMs,
                                                      std::memory_order_relaxed));
  return true;
}

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

// Whom the line is about. Empty if there is no memory to say so.
std::string named_context() {
  LogContext* const context = LogScope::innermost();
  try {
    return context == nullptr ? std::string() : context->named_for_log();
  } catch (const std::exception&) {
    return {};
  }
}

void write_message(LogLevel level, std::string_view message, std::string_view context = {}) {
  Line line;
  begin(line, level);
  line.kept += std::min(context.size(), kContextMax);
  line.put_escaped(message);
  line.kept = 1;
  line.put_escaped(context);
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
}

// Without an allocation: where memory is used up, the log has to say so.
void write_left_out(LogLevel level, unsigned count) {
  char text[64];
  std::snprintf(text, sizeof(text), "%u lines like the next one were left out", count);
  write_message(level, text);
}

}  // namespace

void set_log(LogLevel level, std::string_view process) {
  log_level = level;
  std::snprintf(process_name, sizeof(process_name), "%.*s", static_cast<int>(process.size()), process.data());
}

void set_log_fd(int fd) {
  log_fd = fd;
}

int log_descriptor() {
  return log_fd;
}

void log(LogLevel level, std::string_view message) {
  if (level < log_level.load(std::memory_order_relaxed)) return;
  const int saved_errno = errno;
  Cause& cause = cause_of(level, message);
  if (level == LogLevel::debug || take_turn(cause, monotonic_ms())) {
    // The first line over the limit was not left out: it was written with a warning.
    if (const unsigned left_out = cause.left_out.exchange(0, std::memory_order_relaxed); left_out > 1)
      write_left_out(level, left_out - 1);
    write_message(level, message, named_context());
  } else if (cause.left_out.fetch_add(1, std::memory_order_relaxed) == 0 &&
             lines_lost.load(std::memory_order_relaxed) == 0) {
    write_message(level, "too many lines like this one: they are left out for some seconds, and counted");
    write_message(level, message, named_context());
  }
  errno = saved_errno;
}

void log_rarely(LogLevel level, std::string_view message) {
  if (level < log_level.load(std::memory_order_relaxed)) return;
  const int saved_errno = errno;
  Cause& cause = cause_of(level, message);
  const std::uint64_t now_ms = monotonic_ms();
  std::uint64_t until_ms = cause.rare_until_ms.load(std::memory_order_relaxed);
  if (now_ms >= until_ms &&
      cause.rare_until_ms.compare_exchange_strong(until_ms, now_ms + kRareMs, std::memory_order_relaxed)) {
    if (const unsigned left_out = cause.left_out.exchange(0, std::memory_order_relaxed); left_out > 0)
      write_left_out(level, left_out);
    write_message(level, message);
  } else {
    cause.left_out.fetch_add(1, std::memory_order_relaxed);
  }
  errno = saved_errno;
}

}  // namespace sluice
