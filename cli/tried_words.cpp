#include "tried_words.h"

#include <algorithm>
#include <span>

namespace sluice::cli {
namespace {

struct Advice {
  std::string_view word;
  std::string_view text;
};

constexpr std::string_view kTest =
    "to try settings without serving, write 'sluice serve --config FILE --check'";
constexpr std::string_view kLogs =
    "the log is what 'sluice serve' writes to stderr; for the service, 'journalctl -u sluice' shows it";
constexpr std::string_view kStart = "write 'sluice serve'; for the service, it is 'systemctl start sluice'";
constexpr std::string_view kStop = "write 'sluice stop'";
constexpr Advice kTriedCommands[] = {
    {"test", kTest},
    {"configtest", kTest},
    {"validate", kTest},
    {"start", kStart},
    {"run", kStart},
    {"up", kStart},
    {"restart",
     "'sluice reload' takes new settings without losing a request; to run a new program, write 'sluice stop' "
     "and "
     "start it again, or 'systemctl restart sluice' for the service"},
    {"quit", kStop},
    {"shutdown", kStop},
    {"kill", kStop},
    {"down", kStop},
    {"log", kLogs},
    {"logs", kLogs},
    {"reopen", "to have the access log opened anew, send USR1 to the process that 'sluice status' shows"},
};

constexpr std::string_view kPort =
    "write 'sluice serve --listen 127.0.0.1:PORT', or '--listen *:PORT' for all addresses";
constexpr Advice kTriedOptions[] = {
    {"port", kPort},
    {"p", kPort},
};

std::optional<std::string_view> find(std::span<const Advice> all, std::string_view word) {
  const auto found =
      std::find_if(all.begin(), all.end(), [&](const Advice& each) { return each.word == word; });
  return found == all.end() ? std::nullopt : std::optional(found->text);
}

}  // namespace

std::optional<std::string_view> advice_on_command(std::string_view word) {
  return find(kTriedCommands, word);
}

std::optional<std::string_view> advice_on_option(std::string_view word) {
  return find(kTriedOptions, word);
}

}  // namespace sluice::cli
