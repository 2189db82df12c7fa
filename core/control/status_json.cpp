#include "control/status_json.h"

#include <sluice/kit/json.h>

#include <memory>
#include <string_view>

#include "base/confined.h"

namespace sluice {
namespace {

using kit::JsonText;

constexpr std::int64_t kDayS = 24 * 60 * 60;

double seconds(std::uint64_t nanoseconds) {
  return static_cast<double>(nanoseconds) / 1e9;
}

double seconds_of_ms(std::uint64_t milliseconds) {
  return static_cast<double>(milliseconds) / 1e3;
}

void put_texts(JsonText& json, std::string_view name, const std::vector<std::string>& texts) {
  json.key(name).array();
  for (const std::string& text : texts) json.value(text);
  json.end();
}

void put_answers(JsonText& json, const Counter (&by_class)[6]) {
  json.key("answers").object();
  for (unsigned i = 1; i < std::size(by_class); ++i) json.member(std::to_string(i) + "xx", by_class[i].get());
  json.end();
}

void put_waits(JsonText& json, const WorkerStats& stats) {
  json.key("waits").object();
  for (unsigned i = 0; i < kWaits.size(); ++i) json.member(kWaits[i], stats.waits[i].get());
  json.end();
}

// The buckets are not added up: each counts the durations up to its bound in seconds that no bucket before
// counts. Empty ones are left out, and a bound that is null is infinite.
void put_durations(JsonText& json, std::string_view name, const DurationHistogram& durations) {
  json.key(name).object();
  json.member("count", durations.count());
  json.member("seconds", seconds(durations.total_ns()));
  json.member("longest_seconds", seconds(durations.longest_ns()));
  json.key("buckets").array();
  for (unsigned i = 0; i < DurationHistogram::kBuckets; ++i) {
    if (durations.bucket(i) == 0) continue;
    json.array();
    if (i + 1 == DurationHistogram::kBuckets) {
      json.value(nullptr);
    } else {
      json.value(static_cast<double>(std::uint64_t{1} << i) * 1e-6);
    }
    json.value(durations.bucket(i)).end();
  }
  json.end().end();
}

// As put_durations, with the bounds of RequestHistogram.
void put_latency(JsonText& json, const RequestHistogram& durations) {
  json.key("latency").object().member("count", durations.count());
  json.member("seconds", seconds(durations.total_ns())).key("buckets").array();
  for (std::size_t i = 0; i < RequestHistogram::kBuckets; ++i) {
    if (durations.bucket(i) == 0) continue;
    json.array();
    if (i + 1 == RequestHistogram::kBuckets) {
      json.value(nullptr);
    } else {
      json.value(RequestHistogram::kBoundsMs[i] * 1e-3);
    }
    json.value(durations.bucket(i)).end();
  }
  json.end().end();
}

// Of the site with this name; null: of all.
void put_latency_of(JsonText& json, const std::string_view* site, const WorkerStats& all) {
  RequestHistogram sum;
  for (const RequestSeries& series : all.request_series) {
    if (series.kind.get() != 0 && (site == nullptr || series.site.get() == *site)) sum.absorb(series.durations);
  }
  put_latency(json, sum);
}

void put_workers(JsonText& json, const std::vector<WorkerView>& workers) {
  json.key("workers").array();
  for (const WorkerView& worker : workers) {
    const WorkerStats& stats = *worker.stats;
    json.object();
    json.member("worker", worker.index + 1).member("process", worker.pid);
    json.member("state", worker.state).member("up_seconds", seconds_of_ms(worker.up_ms));
    json.member("connections_open", stats.connections_open.get());
    json.member("requests", stats.requests.get()).member("sent_bytes", stats.bytes_sent.get());
    json.member("offload_queued", stats.offload_queued.get());
    json.member("offload_running", stats.offload_running.get());
    put_texts(json, "confined", confined_words(stats.confined.get()));
    json.member("granted", worker.granted);
    put_waits(json, stats);
    put_durations(json, "turns", stats.turns);
    json.end();
  }
  json.end();
}

void put_counters(JsonText& json, const WorkerStats& all) {
  const std::pair<std::string_view, Counter WorkerStats::*> counters[] = {
      {"connections_accepted", &WorkerStats::connections_accepted},
      {"connections_open", &WorkerStats::connections_open},
      {"connections_refused", &WorkerStats::connections_refused},
      {"connections_gave_way", &WorkerStats::connections_gave_way},
      {"tls_handshakes", &WorkerStats::tls_handshakes},
      {"tls_handshakes_resumed", &WorkerStats::tls_handshakes_resumed},
      {"tls_handshakes_failed", &WorkerStats::tls_handshakes_failed},
      {"requests", &WorkerStats::requests},
      {"sent_bytes", &WorkerStats::bytes_sent},
      {"offload_queued", &WorkerStats::offload_queued},
      {"offload_running", &WorkerStats::offload_running},
      {"module_faults", &WorkerStats::module_faults},
      {"access_log_dropped", &WorkerStats::access_lines_dropped},
  };
  json.key("counters").object();
  for (const auto& [name, counter] : counters) json.member(name, (all.*counter).get());
  std::uint64_t floods = 0;
  for (const Counter& flood : all.http2_floods) floods += flood.get();
  json.member("http2_floods", floods);
  json.key("clients_refused").object();
  for (unsigned i = 0; i < kClientUses; ++i) json.member(kClientUseNames[i], all.clients_refused[i].get());
  json.end();
  put_answers(json, all.answers_by_class);
  put_latency_of(json, nullptr, all);
  put_waits(json, all);
  put_durations(json, "turns", all.turns);
  put_durations(json, "offload_waits", all.offload_waits);
  json.end();
}

// The counters of a server with a single site are its own.
void put_sites(JsonText& json, const WorkerStats& all) {
  json.key("sites").array();
  for (const SiteCounters& site : all.sites) {
    if (site.name.get().empty()) break;
    json.object().member("site", site.name.get());
    put_answers(json, site.answers_by_class);
    json.member("sent_bytes", site.bytes_sent.get());
    const std::string_view name = site.name.get();
    put_latency_of(json, &name, all);
    json.end();
  }
  json.end();
}

void put_mounts(JsonText& json, const std::vector<Place>& places) {
  json.key("mounts").array();
  for (const Place& place : places) {
    json.object().member("site", place.site).member("mount", place.prefix);
    if (!place.address.empty()) json.member("address", place.address);
    json.member("module", place.module.name).member("generation", place.module.generation);
    json.member("filter", place.filter).member("state", place.module.closed ? "switched off" : "serving");
    json.end();
  }
  json.end();
}

// Counts of modules that serve no longer are not told: the metrics have them.
void put_module(JsonText& json, const ModuleEntry& module, const WorkerStats& all) {
  json.object();
  json.member("module", module.name).member("file", module.file).member("folder", module.folder);
  json.member("generation", module.generation);
  const bool left_out = module.name.empty();  // by `only` or `without`
  json.member("state", module.closed    ? "switched off"
                       : module.removed ? "without its file"
                       : left_out       ? "left out"
                                        : "serving");
  for (unsigned i = 0; i < WorkerStats::kModulesMax; ++i) {
    if (module.name.empty() || all.modules[i].get() != Label::kept_of(module.name)) continue;
    json.member("holds", all.holds[i].get());
    put_durations(json, "answers", all.answers[i]);
  }
  json.key("counters").object();
  for (const ModuleCounter& counter : all.module_counters) {
    const std::string_view name = counter.name.get();
    const std::size_t dot = name.find('.');
    if (dot != std::string_view::npos && name.substr(0, dot) == module.name)
      json.member(name.substr(dot + 1), counter.value.get());
  }
  json.end().end();
}

void put_events(JsonText& json, const std::vector<ModuleEvent>& events) {
  json.key("module_events").array();
  for (const ModuleEvent& event : events) {
    json.object().member("time", event.at_s).member("module", event.module);
    json.member("generation", event.generation).member("event", event.what);
    json.member("reason", event.why).end();
  }
  json.end();
}

void put_certificates(JsonText& json, const std::vector<CertificateView>& certificates, std::int64_t now_s) {
  json.key("certificates").array();
  for (const auto& [facts, sites] : certificates) {
    json.object().member("file", facts.file);
    put_texts(json, "names", facts.names);
    put_texts(json, "sites", sites);
    json.member("not_after", facts.not_after_s);
    json.member("days_left", (facts.not_after_s - now_s) / kDayS);
    json.member("fingerprint", facts.fingerprint).member("issuer", facts.issuer).end();
  }
  json.end();
}

}  // namespace

std::string status_json(const ServerView& view, const PastCounts& past, std::int64_t now_s) {
  const auto all = std::make_unique<WorkerStats>();
  for (const auto& [index, stats] : past.plus(view.workers)) all->absorb(*stats);
  JsonText json;
  json.object().member("process", view.pid).member("state", view.state).member("time", now_s);
  json.member("up_seconds", seconds_of_ms(view.up_ms));
  put_texts(json, "listening", view.listening);
  json.member("confinement_lacking", view.lacking);
  put_workers(json, view.workers);
  put_counters(json, *all);
  put_sites(json, *all);
  put_mounts(json, view.places);
  json.key("modules").array();
  for (const ModuleEntry& module : view.modules) put_module(json, module, *all);
  json.end();
  put_events(json, view.events);
  put_certificates(json, view.certificates, now_s);
  return json.end().dump() + "\n";
}

}  // namespace sluice
