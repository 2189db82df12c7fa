#include "transport/shortage.h"

#include <cerrno>
#include <cstring>
#include <string>

#include "base/log.h"

namespace sluice {
namespace {

constexpr std::uint64_t kBetweenLinesMs = 60'000;

std::string reason(int why) {
  switch (why) {
    case Shortage::kAllOpen:
      return "as many connections are open as --connections-max allows";
    case EMFILE:
      return "descriptors are used up: raise `ulimit -n`";
    case ENFILE:
      return "the system's descriptors are used up: raise fs.file-max";
    default:
      return std::string("the system has no memory for another connection (") + std::strerror(why) + ")";
  }
}

std::string counted(std::uint64_t count, const char* one, const char* many) {
  return std::to_string(count) + (count == 1 ? one : many);
}

}  // namespace

void Shortage::note(int why, bool gave_way) {
  why_ = why;
  ++(gave_way ? gave_way_ : waits_);
  if (next_line_.value == 0) say();
}

void Shortage::fired() {
  next_line_ = TimerId{};
  if (gave_way_ + waits_ > 0) say();
}

void Shortage::say() {
  std::string line = reason(why_) + "; since the last line about this ";
  line += counted(gave_way_, " idle connection was", " idle connections were") + " closed to make room, and ";
  line += "new connections had to wait " + counted(waits_, " time", " times");
  log(LogLevel::warning, line);
  gave_way_ = waits_ = 0;
  next_line_ = loop_.timers().start(loop_.now_ms() + kBetweenLinesMs, *this);
}

}  // namespace sluice
