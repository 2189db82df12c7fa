#include "process/fault_report.h"

#include <unistd.h>

#include <algorithm>
#include <csignal>
#include <sstream>

#include "base/log.h"
#include "base/monotonic_clock.h"
#include "process/symbols.h"

namespace sluice {
namespace {

constexpr std::size_t kReportsMax = 4;  // at the same time
constexpr std::uint64_t kNamingMs = 10'000;

std::string raw_frame(const Snapshot::Frame& frame) {
  std::ostringstream text;
  text << "0x" << std::hex << frame.offset << " in " << (frame.object[0] == '\0' ? "sluice" : frame.object);
  return text.str();
}

void log_raw(const std::vector<Snapshot::Frame>& frames) {
  for (const Snapshot::Frame& frame : frames) log(LogLevel::error, "  " + raw_frame(frame));
}

}  // namespace

void FaultReports::begin(std::vector<Snapshot::Frame> frames, const std::string& copies,
                         const Confine& confine) {
  if (frames.empty()) return;
  if (reports_.size() >= kReportsMax) return log_raw(frames);
  auto child = Child::start([&] {
    if (!confine()) ::_exit(1);
    std::string text;
    for (const std::string& line : describe_frames(frames, copies)) text += line + "\n";
    return text;
  });
  if (!child) return log_raw(frames);
  auto limit = std::make_unique<Alarm>(loop_, [this, pid = (*child)->pid()] { give_up(pid); });
  limit->at(monotonic_ms() + kNamingMs);
  reports_.push_back({std::move(*child), std::move(frames), std::move(limit)});
}

void FaultReports::close_for_child() {
  for (const Report& report : reports_) report.child->close_for_child();
}

std::vector<FaultReports::Report>::iterator FaultReports::find(pid_t pid) {
  return std::find_if(reports_.begin(), reports_.end(),
                      [pid](const Report& report) { return report.child->pid() == pid; });
}

bool FaultReports::ended(pid_t pid, int status) {
  const auto report = find(pid);
  if (report == reports_.end()) return false;
  const auto text = report->child->result(status);
  if (text) {
    std::istringstream lines(*text);
    for (std::string line; std::getline(lines, line);) log(LogLevel::error, "  " + line);
  } else {
    log_raw(report->frames);
  }
  reports_.erase(report);
  return true;
}

void FaultReports::give_up(pid_t pid) {
  const auto report = find(pid);
  log_raw(report->frames);
  reports_.erase(report);  // this also kills its child
}

}  // namespace sluice
