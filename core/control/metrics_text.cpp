#include "control/metrics_text.h"

#include <sluice/kit/json.h>

#include <algorithm>
#include <cstdio>
#include <set>
#include <string_view>

namespace sluice {
namespace {

using Sums = std::map<unsigned, std::unique_ptr<WorkerStats>>;

constexpr double kNanosecond = 1e-9;

std::string number(double value) {
  char text[32];
  std::snprintf(text, sizeof(text), "%.12g", value);
  return text;
}

// Many values come from workers, which may be out of control. A value that is not UTF-8 would make Prometheus
// refuse all of the text, and so would two samples of one series.
std::string label(std::string_view name, std::string_view value) {
  std::string text = std::string(name) + "=\"";
  while (!value.empty()) {
    const std::size_t size = kit::detail::utf8_size(value);
    const char byte = value.front();
    if (byte == '\\' || byte == '"') text += '\\';
    if (byte == '\n') {
      text += "\\n";
    } else if (size == 0) {
      text += "\xef\xbf\xbd";
    } else {
      text += value.substr(0, size);
    }
    value.remove_prefix(std::max<std::size_t>(size, 1));
  }
  return text + '"';
}

std::string worker_label(unsigned index) {
  return label("worker", std::to_string(index + 1));
}

class Exposition {
 public:
  void family(std::string_view name, std::string_view type, std::string_view help) {
    whole_family("sluice_" + std::string(name), type, help);
  }
  // The same for a name that others use, too.
  void whole_family(std::string name, std::string_view type, std::string_view help) {
    name_ = std::move(name);
    text_.append("# HELP ").append(name_).append(" ").append(help).append("\n");
    text_.append("# TYPE ").append(name_).append(" ").append(type).append("\n");
    written_.clear();
  }
  void sample(const std::string& labels, const std::string& value, std::string_view suffix = "") {
    if (!written_.insert(std::string(suffix) + " " + labels).second) return;
    text_.append(name_).append(suffix);
    if (!labels.empty()) text_.append("{").append(labels).append("}");
    text_.append(" ").append(value).append("\n");
  }
  void sample(const std::string& labels, const Counter& value) { sample(labels, std::to_string(value.get())); }
  void histogram(const std::string& labels, const DurationHistogram& durations) {
    std::uint64_t below = 0;
    for (unsigned i = 0; i < DurationHistogram::kBuckets; ++i) {
      below += durations.bucket(i);
      const bool last = i + 1 == DurationHistogram::kBuckets;
      const std::string bound = last ? "+Inf" : number(static_cast<double>(std::uint64_t{1} << i) * 1e-6);
      sample(labels + (labels.empty() ? "" : ",") + label("le", bound), std::to_string(below), "_bucket");
    }
    sample(labels, number(static_cast<double>(durations.total_ns()) * kNanosecond), "_sum");
    sample(labels, std::to_string(below), "_count");
  }

  void histogram(const std::string& labels, const RequestHistogram& durations) {
    std::uint64_t below = 0;
    for (std::size_t i = 0; i < RequestHistogram::kBuckets; ++i) {
      below += durations.bucket(i);
      const bool last = i + 1 == RequestHistogram::kBuckets;
      const std::string bound = last ? "+Inf" : number(RequestHistogram::kBoundsMs[i] * 1e-3);
      sample(labels + "," + label("le", bound), std::to_string(below), "_bucket");
    }
    sample(labels, number(static_cast<double>(durations.total_ns()) * kNanosecond), "_sum");
    sample(labels, std::to_string(below), "_count");
  }

  // A series for each worker.
  void counters(std::string_view name, std::string_view type, std::string_view help, const Sums& sums,
                Counter WorkerStats::*counter) {
    family(name, type, help);
    for (const auto& [index, stats] : sums) sample(worker_label(index), stats.get()->*counter);
  }
  void histograms(std::string_view name, std::string_view help, const Sums& sums,
                  DurationHistogram WorkerStats::*durations) {
    family(name, "histogram", help);
    for (const auto& [index, stats] : sums) histogram(worker_label(index), stats.get()->*durations);
  }
  void longest(std::string_view name, std::string_view help, const Sums& sums,
               DurationHistogram WorkerStats::*durations) {
    family(name, "gauge", help);
    for (const auto& [index, stats] : sums) {
      const auto longest_ns = static_cast<double>((stats.get()->*durations).longest_ns());
      sample(worker_label(index), number(longest_ns * kNanosecond));
    }
  }

  std::string take() { return std::move(text_); }

 private:
  std::string name_;
  std::string text_;
  std::set<std::string> written_;  // series of the family
};

void write_server(Exposition& out, const ServerView& view) {
  out.family("up_seconds", "gauge", "How long the server has been running.");
  out.sample("", number(static_cast<double>(view.up_ms) / 1000));
  out.family("workers", "gauge", "Worker processes that live.");
  out.sample("", std::to_string(view.workers.size()));
}

void write_traffic(Exposition& out, const Sums& sums) {
  out.counters("connections_accepted_total", "counter", "Connections accepted.", sums,
               &WorkerStats::connections_accepted);
  out.counters("connections_open", "gauge", "Connections open now.", sums, &WorkerStats::connections_open);
  out.family("waits", "gauge", "Connections, and streams of HTTP/2, by what they wait for now.");
  for (const auto& [index, stats] : sums) {
    for (unsigned i = 0; i < kWaits.size(); ++i)
      out.sample(worker_label(index) + "," + label("for", kWaits[i]), stats->waits[i]);
  }
  out.counters("connections_refused_total", "counter",
               "How often new connections had to wait for descriptors, memory or --connections-max.", sums,
               &WorkerStats::connections_refused);
  out.counters("connections_gave_way_total", "counter",
               "Idle connections that were closed to make room for new ones.", sums,
               &WorkerStats::connections_gave_way);
  out.family("client_refusals_total", "counter",
             "What was refused to clients that had as much at once as one client may.");
  for (const auto& [index, stats] : sums) {
    for (unsigned i = 0; i < kClientUses; ++i)
      out.sample(worker_label(index) + "," + label("of", kClientUseNames[i]), stats->clients_refused[i]);
  }
  out.counters("tls_handshakes_total", "counter", "TLS handshakes that succeeded.", sums,
               &WorkerStats::tls_handshakes);
  out.counters("tls_handshakes_resumed_total", "counter",
               "TLS handshakes that resumed a session, which needs no signature.", sums,
               &WorkerStats::tls_handshakes_resumed);
  out.counters("tls_handshakes_failed_total", "counter", "TLS handshakes that failed.", sums,
               &WorkerStats::tls_handshakes_failed);
  out.counters("tls_kernel_connections_total", "counter", "TLS connections whose records the kernel makes.",
               sums, &WorkerStats::tls_kernel);
  out.family("http2_floods_total", "counter",
             "HTTP/2 connections that were closed because their client cost too much.");
  for (const auto& [index, stats] : sums) {
    for (unsigned i = 0; i < kHttp2Floods.size(); ++i)
      out.sample(worker_label(index) + "," + label("kind", kHttp2Floods[i]), stats->http2_floods[i]);
  }
  out.counters("requests_total", "counter", "Answers begun.", sums, &WorkerStats::requests);
  out.family("answers_total", "counter", "Answers begun, by the class of their status.");
  for (const auto& [index, stats] : sums) {
    for (unsigned i = 1; i < std::size(stats->answers_by_class); ++i)
      out.sample(worker_label(index) + "," + label("class", std::to_string(i) + "xx"),
                 stats->answers_by_class[i]);
  }
  out.counters("sent_bytes_total", "counter", "Bytes of content handed to the kernel.", sums,
               &WorkerStats::bytes_sent);
  out.counters("access_log_dropped_total", "counter",
               "Lines of the access log that could not be written in time.", sums,
               &WorkerStats::access_lines_dropped);
  out.counters("module_faults_total", "counter", "Exceptions of modules, and breaches of their interface.",
               sums, &WorkerStats::module_faults);
}

void write_loops(Exposition& out, const Sums& sums) {
  out.histograms("loop_turn_seconds", "Turns of the loop, without the wait for events.", sums,
                 &WorkerStats::turns);
  out.longest("loop_longest_turn_seconds", "The longest turn of the loop.", sums, &WorkerStats::turns);
  std::uint64_t audited = 0;
  for (const auto& [index, stats] : sums) audited += stats->net_turns.count();
  if (audited == 0) return;  // zeros would look like findings
  out.histograms("loop_net_turn_seconds", "Audited turns, without waits for a processor.", sums,
                 &WorkerStats::net_turns);
  out.longest("loop_longest_net_turn_seconds", "The longest audited turn, without waits for a processor.", sums,
              &WorkerStats::net_turns);
  out.counters("loop_sleeps_total", "counter", "How often the loop's thread slept within an audited turn.",
               sums, &WorkerStats::loop_sleeps);
}

void write_offload(Exposition& out, const Sums& sums) {
  out.counters("offload_queued", "gauge", "Calls that may block, and that wait for a thread now.", sums,
               &WorkerStats::offload_queued);
  out.counters("offload_running", "gauge", "Calls that may block, and that a thread runs now.", sums,
               &WorkerStats::offload_running);
  out.histograms("offload_wait_seconds",
                 "How long calls that may block waited for a thread, in whole milliseconds.", sums,
                 &WorkerStats::offload_waits);
  out.longest("offload_longest_wait_seconds", "The longest wait for a thread.", sums,
              &WorkerStats::offload_waits);
}

void write_module_states(Exposition& out, const ModuleSet& modules) {
  out.family("module_generation", "gauge", "The generation of the module's file that serves.");
  for (const ModuleEntry& module : modules) {
    if (!module.name.empty()) out.sample(label("module", module.name), std::to_string(module.generation));
  }
  out.family("module_closed", "gauge", "1 for a module that is switched off, else 0.");
  for (const ModuleEntry& module : modules) {
    if (!module.name.empty()) out.sample(label("module", module.name), module.closed ? "1" : "0");
  }
}

void write_certificates(Exposition& out, const std::vector<CertificateView>& certificates) {
  if (certificates.empty()) return;
  out.family("certificate_not_after_timestamp_seconds", "gauge", "When the certificate expires, since 1970.");
  std::set<std::string_view> written;
  for (const CertificateView& certificate : certificates) {
    const CertificateFacts& facts = certificate.facts;
    if (written.insert(facts.file).second)
      out.sample(label("file", facts.file), std::to_string(facts.not_after_s));
  }
}

void write_tls_failures(Exposition& out, const WorkerStats& all) {
  if (all.tls_failures[0].reason.get().empty()) return;
  out.family("tls_handshakes_failed_by_reason_total", "counter", "TLS handshakes that failed, by reason.");
  for (const TlsFailures& failures : all.tls_failures) {
    if (!failures.reason.get().empty()) out.sample(label("reason", failures.reason.get()), failures.count);
  }
}

void write_sites(Exposition& out, const WorkerStats& all) {
  if (all.sites[0].name.get().empty()) return;
  out.family("site_answers_total", "counter", "Answers begun, by site and the class of their status.");
  for (const SiteCounters& site : all.sites) {
    if (site.name.get().empty()) break;
    for (unsigned i = 1; i < std::size(site.answers_by_class); ++i)
      out.sample(label("site", site.name.get()) + "," + label("class", std::to_string(i) + "xx"),
                 site.answers_by_class[i]);
  }
  out.family("site_sent_bytes_total", "counter", "Bytes of content handed to the kernel, by site.");
  for (const SiteCounters& site : all.sites) {
    if (site.name.get().empty()) break;
    out.sample(label("site", site.name.get()), site.bytes_sent);
  }
}

// The names are those of OpenTelemetry's conventions for HTTP, as Prometheus writes them.
void write_requests(Exposition& out, const WorkerStats& all) {
  out.whole_family(
      "http_server_request_duration_seconds", "histogram",
      "Requests from their first byte to the end of their answer, by the clock of the loop's turns.");
  for (const RequestSeries& series : all.request_series) {
    if (series.kind.get() == 0) continue;
    const std::uint64_t by_class = series.status_class();
    std::string labels = label("http_request_method", series.method());
    labels += "," + label("http_route", series.route.get());
    labels += "," + label("class", by_class == 0 ? "" : std::to_string(by_class) + "xx");
    if (!series.site.get().empty()) labels += "," + label("site", series.site.get());
    out.histogram(labels, series.durations);
  }
}

void write_modules(Exposition& out, const WorkerStats& all) {
  out.family(
      "module_answer_seconds", "histogram",
      "From a request's handling to its answer's last byte, by the clock of the loop's turns: answers within "
      "one turn count as 0.");
  for (unsigned i = 0; i < WorkerStats::kModulesMax; ++i) {
    const std::string_view module = all.modules[i].get();
    if (!module.empty()) out.histogram(label("module", module), all.answers[i]);
  }
  out.family("module_holds", "gauge",
             "Holds that the module's handlers have now. Each keeps the module in memory.");
  for (unsigned i = 0; i < WorkerStats::kModulesMax; ++i) {
    const std::string_view module = all.modules[i].get();
    if (!module.empty()) out.sample(label("module", module), all.holds[i]);
  }
  out.family("module_events_total", "counter", "Events that the modules count.");
  for (const ModuleCounter& counter : all.module_counters) {
    const std::string_view name = counter.name.get();
    if (name.empty()) continue;
    const std::size_t dot = name.find('.');
    const std::string_view event = dot == std::string_view::npos ? name : name.substr(dot + 1);
    out.sample(label("module", name.substr(0, dot)) + "," + label("event", event), counter.value);
  }
}

}  // namespace

void PastCounts::add(unsigned index, const WorkerStats& ended) {
  auto& counts = counts_[index];
  if (counts == nullptr) counts = std::make_unique<WorkerStats>();
  counts->absorb(ended);
  for (Counter* of_now : {&counts->connections_open, &counts->offload_queued, &counts->offload_running})
    of_now->set(0);
  for (Counter& waiting : counts->waits) waiting.set(0);
  for (Counter& held : counts->holds) held.set(0);
}

std::map<unsigned, std::unique_ptr<WorkerStats>> PastCounts::plus(const std::vector<WorkerView>& living) const {
  Sums sums;
  const auto add = [&sums](unsigned index, const WorkerStats& stats) {
    auto& sum = sums[index];
    if (sum == nullptr) sum = std::make_unique<WorkerStats>();
    sum->absorb(stats);
  };
  for (const auto& [index, stats] : counts_) add(index, *stats);
  for (const WorkerView& worker : living) add(worker.index, *worker.stats);
  return sums;
}

std::string metrics_text(const ServerView& view, const PastCounts& past) {
  const Sums sums = past.plus(view.workers);
  Exposition out;
  write_server(out, view);
  write_traffic(out, sums);
  write_loops(out, sums);
  write_offload(out, sums);
  write_module_states(out, view.modules);
  write_certificates(out, view.certificates);
  const auto all = std::make_unique<WorkerStats>();
  for (const auto& [index, stats] : sums) all->absorb(*stats);
  write_tls_failures(out, *all);
  write_sites(out, *all);
  write_requests(out, *all);
  write_modules(out, *all);
  return out.take();
}

}  // namespace sluice
