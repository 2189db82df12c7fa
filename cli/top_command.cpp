#include "top_command.h"

#include <poll.h>
#include <sys/ioctl.h>
#include <termios.h>
#include <unistd.h>

#include <csignal>
#include <ostream>
#include <string>

#include "base/monotonic_clock.h"
#include "base/text.h"
#include "control_command.h"
#include "exit_error.h"
#include "metric_samples.h"
#include "server/supervisor.h"
#include "top_page.h"

namespace sluice::cli {
namespace {

constexpr int kPeriodMs = 1'000;
// xterm's sequences: another screen and back, the cursor hidden and shown, home, and the rest of the screen
// cleared.
constexpr std::string_view kBegin = "\x1b[?1049h\x1b[?25l";
constexpr std::string_view kEnd = "\x1b[?25h\x1b[?1049l";
constexpr std::string_view kToTheTop = "\x1b[H";
constexpr std::string_view kClearRest = "\x1b[J";
constexpr std::string_view kClearLine = "\x1b[K\n";

volatile std::sig_atomic_t ended = 0;

void end(int) {
  ended = 1;
}

// Keys come at once and are not shown, while this object lives.
class Screen {
 public:
  explicit Screen(std::ostream& out) : out_(out), has_keys_(::tcgetattr(STDIN_FILENO, &before_) == 0) {
    termios raw = before_;
    raw.c_lflag &= ~static_cast<tcflag_t>(ICANON | ECHO);
    if (has_keys_) ::tcsetattr(STDIN_FILENO, TCSANOW, &raw);
    for (const int signal : {SIGINT, SIGTERM, SIGHUP}) std::signal(signal, end);
    out_ << kBegin << std::flush;
  }
  ~Screen() {
    out_ << kEnd << std::flush;
    if (has_keys_) ::tcsetattr(STDIN_FILENO, TCSANOW, &before_);
  }
  Screen(const Screen&) = delete;
  Screen& operator=(const Screen&) = delete;

  // As many lines and columns as there are.
  void show(std::string_view page) {
    winsize size{};
    ::ioctl(STDOUT_FILENO, TIOCGWINSZ, &size);
    std::string text(kToTheTop);
    for (unsigned line = 1; !page.empty() && (size.ws_row == 0 || line < size.ws_row); ++line) {
      const std::string_view whole = take_part(page, "\n");
      text.append(size.ws_col == 0 ? whole : whole.substr(0, size.ws_col)).append(kClearLine);
    }
    out_ << text << kClearRest << std::flush;
  }
  // False when the person has had enough.
  bool wait() const {
    pollfd keys{has_keys_ ? STDIN_FILENO : -1, POLLIN, 0};
    const std::uint64_t until_ms = monotonic_ms() + kPeriodMs;
    while (ended == 0 && monotonic_ms() < until_ms) {
      if (::poll(&keys, 1, static_cast<int>(until_ms - monotonic_ms())) <= 0) continue;
      char key = 'q';
      if (::read(STDIN_FILENO, &key, 1) <= 0 || key == 'q') return false;
    }
    return ended == 0;
  }

 private:
  std::ostream& out_;
  termios before_{};
  const bool has_keys_;
};

struct Look {
  MetricSamples samples;
  std::uint64_t at_ms;
};

Result<Look> look(const OptionTexts& given, const Environment& environment) {
  return ask_server("metrics", given, environment).map([](const std::string& text) {
    return Look{MetricSamples(text), monotonic_ms()};
  });
}

std::string page_between(const Look& before, const Look& now) {
  const std::uint64_t passed_ms = now.at_ms - before.at_ms;
  return top_page(before.samples, now.samples, static_cast<double>(passed_ms == 0 ? 1 : passed_ms) / 1000);
}

}  // namespace

int run_top(const OptionTexts& given, const Environment& environment, std::ostream& out, std::ostream& err) {
  auto before = look(given, environment);
  if (!before) return refuse(err, before.error());
  if (::isatty(STDOUT_FILENO) == 0) {
    ::poll(nullptr, 0, kPeriodMs);
    const auto now = look(given, environment);
    if (!now) return refuse(err, now.error());
    out << page_between(*before, *now);
    return kExitFine;
  }
  Result<void> outcome;
  {
    Screen screen(out);
    while (screen.wait()) {
      auto now = look(given, environment);
      if (!now) {
        outcome = Unexpected(now.error());
        break;
      }
      screen.show(page_between(*before, *now));
      before = std::move(now);
    }
  }
  return outcome ? kExitFine : refuse(err, outcome.error());
}

}  // namespace sluice::cli
