#include "telemetry/turn_audit.h"

#include <fcntl.h>
#include <sys/resource.h>

#include <algorithm>
#include <cerrno>
#include <string_view>

#include "base/text.h"

namespace sluice {
namespace {

rusage thread_usage() {
  rusage usage{};
  ::getrusage(RUSAGE_THREAD, &usage);
  return usage;
}

}  // namespace

Result<std::unique_ptr<TurnAudit>> TurnAudit::create() {
  std::unique_ptr<TurnAudit> audit(new TurnAudit);
  audit->schedstat_.reset(::open("/proc/thread-self/schedstat", O_RDONLY | O_CLOEXEC));
  if (!audit->schedstat_) {
    return fail_errno("the loop cannot be audited: cannot open /proc/thread-self/schedstat", errno);
  }
  return audit;
}

void TurnAudit::begin() {
  delay_ns_ = run_queue_delay_ns();
  const rusage usage = thread_usage();
  // A thread gives its processor up voluntarily when it waits: for a disk, a lock or a page.
  sleeps_ = usage.ru_nvcsw;
  disk_pages_ = usage.ru_majflt;
}

AuditedTurn TurnAudit::end(std::uint64_t turn_ns) const {
  const rusage usage = thread_usage();
  const std::uint64_t delay_ns = run_queue_delay_ns() - delay_ns_;
  return {turn_ns - std::min(delay_ns, turn_ns), static_cast<std::uint64_t>(usage.ru_nvcsw - sleeps_),
          static_cast<std::uint64_t>(usage.ru_majflt - disk_pages_)};
}

// The file says "TIME-ON-CPU TIME-ON-RUN-QUEUE SLICES", with times in nanoseconds.
std::uint64_t TurnAudit::run_queue_delay_ns() const {
  char bytes[128];
  const ssize_t size = ::pread(schedstat_.get(), bytes, sizeof(bytes), 0);
  if (size <= 0) return delay_ns_;
  std::string_view text(bytes, static_cast<std::size_t>(size));
  take_part(text, " ");
  return parse_decimal(take_part(text, " ")).value_or(delay_ns_);
}

}  // namespace sluice
