#include "telemetry/worker_stats.h"

#include <sys/mman.h>

#include <cerrno>
#include <iterator>

namespace sluice {
namespace {

template <typename Entries, typename LabelOf>
std::uint32_t find_or_add(Entries& entries, std::string_view name, LabelOf label_of) {
  name = Label::kept_of(name);  // as get() will give it
  const auto last = static_cast<std::uint32_t>(std::size(entries) - 1);
  for (std::uint32_t index = 0; index < last; ++index) {
    Label& label = label_of(entries[index]);
    if (label.get().empty()) label.set(name);
    if (label.get() == name) return index;
  }
  if (label_of(entries[last]).get().empty()) label_of(entries[last]).set("(more)");
  return last;
}

}  // namespace

void WorkerStats::absorb(const WorkerStats& other) {
  constexpr Counter WorkerStats::*kCounters[] = {&WorkerStats::connections_accepted,
                                                 &WorkerStats::connections_open,
                                                 &WorkerStats::connections_refused,
                                                 &WorkerStats::tls_handshakes,
                                                 &WorkerStats::tls_handshakes_resumed,
                                                 &WorkerStats::tls_handshakes_failed,
                                                 &WorkerStats::tls_kernel,
                                                 &WorkerStats::connections_gave_way,
                                                 &WorkerStats::requests,
                                                 &WorkerStats::bytes_sent,
                                                 &WorkerStats::access_lines_dropped,
                                                 &WorkerStats::module_faults,
                                                 &WorkerStats::loop_sleeps,
                                                 &WorkerStats::offload_queued,
                                                 &WorkerStats::offload_running};
  for (const auto counter : kCounters) (this->*counter).add((other.*counter).get());
  for (std::size_t i = 0; i < std::size(answers_by_class); ++i)
    answers_by_class[i].add(other.answers_by_class[i].get());
  for (const TlsFailures& failures : other.tls_failures) {
    if (const auto reason = failures.reason.get(); !reason.empty())
      tls_failures[tls_failure_index(reason)].count.add(failures.count.get());
  }
  for (const SiteCounters& counters : other.sites) {
    if (counters.name.get().empty()) continue;
    SiteCounters& sum = sites[site_index(counters.name.get())];
    for (std::size_t i = 0; i < std::size(sum.answers_by_class); ++i)
      sum.answers_by_class[i].add(counters.answers_by_class[i].get());
    sum.bytes_sent.add(counters.bytes_sent.get());
  }
  for (std::size_t i = 0; i < std::size(waits); ++i) waits[i].add(other.waits[i].get());
  for (std::size_t i = 0; i < kClientUses; ++i) clients_refused[i].add(other.clients_refused[i].get());
  for (std::size_t i = 0; i < std::size(http2_floods); ++i) http2_floods[i].add(other.http2_floods[i].get());
  turns.absorb(other.turns);
  net_turns.absorb(other.net_turns);
  offload_waits.absorb(other.offload_waits);
  for (std::uint32_t i = 0; i < kModulesMax; ++i) {
    const auto name = other.modules[i].get();
    if (name.empty()) continue;
    const std::uint32_t index = module_index(name);
    answers[index].absorb(other.answers[i]);
    holds[index].add(other.holds[i].get());
  }
  for (const RequestSeries& series : other.request_series) {
    if (series.kind.get() == 0) continue;
    // A worker out of control may have written any number, and two that read alike would be one series twice.
    const std::uint64_t kind = RequestSeries::kind_of(series.method_index(), 0) + series.status_class();
    const std::uint32_t index = request_series_index(series.site.get(), series.route.get(), kind);
    request_series[index].durations.absorb(series.durations);
  }
  for (const ModuleCounter& counter : other.module_counters) {
    if (const auto name = counter.name.get(); !name.empty())
      module_counters[module_counter_index(name)].value.add(counter.value.get());
  }
}

// Compares numbers first: texts are compared for a few entries only.
std::uint32_t WorkerStats::request_series_index(std::string_view site, std::string_view route,
                                                std::uint64_t kind) {
  constexpr std::uint32_t kLast = kRequestSeriesMax - 1;
  constexpr std::string_view kRest = "(more)";  // no mount's prefix, since those begin with a slash
  site = Label::kept_of(site);
  route = Label::kept_of(route);
  for (std::uint32_t index = 0; index < kLast && route != kRest; ++index) {
    RequestSeries& series = request_series[index];
    if (series.kind.get() == 0) {
      series.site.set(site);
      series.route.set(route);
      series.kind.set(kind);
      return index;
    }
    if (series.kind.get() == kind && series.route.get() == route && series.site.get() == site) return index;
  }
  RequestSeries& rest = request_series[kLast];
  if (rest.kind.get() == 0) {
    rest.route.set(kRest);
    rest.kind.set(RequestSeries::kind_of(kMethods.size() - 1, 0));
  }
  return kLast;
}

std::uint32_t WorkerStats::module_index(std::string_view name) {
  return find_or_add(modules, name, [](Label& label) -> Label& { return label; });
}

std::uint32_t WorkerStats::module_counter_index(std::string_view name) {
  return find_or_add(module_counters, name, [](ModuleCounter& counter) -> Label& { return counter.name; });
}

std::uint32_t WorkerStats::site_index(std::string_view name) {
  return find_or_add(sites, name, [](SiteCounters& counters) -> Label& { return counters.name; });
}

std::uint32_t WorkerStats::tls_failure_index(std::string_view reason) {
  return find_or_add(tls_failures, reason, [](TlsFailures& failures) -> Label& { return failures.reason; });
}

void UnmapStats::operator()(WorkerStats* stats) const {
  ::munmap(stats, sizeof(WorkerStats));
}

Result<SharedStats> map_stats() {
  void* memory =
      ::mmap(nullptr, sizeof(WorkerStats), PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS, -1, 0);
  if (memory == MAP_FAILED) return fail_errno("cannot map memory for a worker's counters", errno);
  return SharedStats(static_cast<WorkerStats*>(memory));
}

std::string_view noted_module(const WorkerStats& stats, std::uint64_t tag) {
  const auto index = static_cast<std::uint32_t>(tag);
  return index == 0 || index > WorkerStats::kModulesMax ? std::string_view() : stats.modules[index - 1].get();
}

}  // namespace sluice
