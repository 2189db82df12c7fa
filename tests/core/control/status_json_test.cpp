// The state of a running server as JSON, byte for byte.
#include "control/status_json.h"

#include <catch2/catch.hpp>
#include <memory>

using namespace sluice;
using Catch::Matchers::Contains;

TEST_CASE("a server without anything is JSON, too", "[status_json]") {
  const std::string json = status_json(ServerView{}, PastCounts{}, 1'700'000'000);
  CHECK_THAT(
      json,
      Catch::Matchers::StartsWith(
          R"({"process":0,"state":"ready","time":1700000000,"up_seconds":0,"listening":[],"confinement_lacking":"","workers":[],)"
          R"("counters":{"connections_accepted":0,)"));
  CHECK_THAT(json, Catch::Matchers::EndsWith(
                       R"("sites":[],"mounts":[],"modules":[],"module_events":[],"certificates":[]})"
                       "\n"));
}

TEST_CASE("all that is known of a server is in its JSON", "[status_json]") {
  const auto stats = std::make_unique<WorkerStats>();
  stats->requests.add(3);
  stats->answers_by_class[2].add(2);
  stats->connections_open.set(5);
  stats->waits[3].set(4);
  stats->turns.add(1'500'000);
  stats->turns.add(60'000'000'000);
  SiteCounters& site = stats->sites[stats->site_index("a.example")];
  site.answers_by_class[4].add(7);
  site.bytes_sent.add(99);
  for (const char* name : {"a.example", "b.example"}) {
    const std::uint32_t series = stats->request_series_index(name, "/x/", RequestSeries::kind_of(0, 200));
    stats->request_series[series].durations.add(7'000'000);
  }
  stats->answers[stats->module_index("hello")].add(0);
  stats->module_counters[stats->module_counter_index("hello.greeted")].value.add(4);
  stats->module_counters[stats->module_counter_index("hello2.greeted")].value.add(5);
  ServerView view;
  view.pid = 77;
  view.up_ms = 1'500;
  view.state = "stopping";
  view.listening = {"http://127.0.0.1:8080"};
  const ModuleEntry hello{"h.so", "/p/h.so", 2, "hello", "/hello/", false, false, "/plugins"};
  const ModuleEntry off{"x\"\n.so", "/p/x.so", 1, "", "", true, false};
  const ModuleEntry left_out{"l.so", "/p/l.so", 1, "", "", false, false};
  view.modules = {hello, off, left_out};
  view.places = {{"a.example", false, "/x/", "", hello, false},
                 {"a.example", false, "/", "unix:/s", off, true}};
  view.workers = {{0, 78, 61'000, "serving", stats.get(), "exec"}};
  stats->confined.set(1);
  view.certificates = {{{"/a.pem", {"a.org"}, 1'700'086'400, "AB"}, {"a.example"}}};
  view.events = {{1'700'000'000, "hello", 2, ModuleEvents::kRefused, "it \"is\" broken"}};
  PastCounts past;
  past.add(0, *stats);
  const std::string json = status_json(view, past, 1'700'000'000);
  CHECK_THAT(json, Contains(R"("process":77,"state":"stopping")") && Contains(R"("up_seconds":1.5)"));
  CHECK_THAT(json, Contains(R"({"module":"","file":"l.so","folder":"","generation":1,"state":"left out",)"));
  CHECK_THAT(json, Contains(R"("workers":[{"worker":1,"process":78,"state":"serving","up_seconds":61,)"
                            R"("connections_open":5,"requests":3,)"));
  CHECK_THAT(
      json,
      Contains(R"("waits":{"head":0,"body":0,"send":0,"keepalive":4,"handler":0,"linger":0,"tunnel":0})"));
  CHECK_THAT(json, Contains(R"("confined":["files"],"granted":"exec")"));
  // In one turn of 2.048 ms at most, and one that is longer than all bounds.
  CHECK_THAT(json, Contains(R"("turns":{"count":2,"seconds":60.0015,"longest_seconds":60,)"
                            R"("buckets":[[0.002048,1],[null,1]]})"));
  CHECK_THAT(json, Contains(R"("connections_open":5,"connections_refused":0)"));  // of now, not of the past
  CHECK_THAT(json, Contains(R"("requests":6,)"));                                 // with those of the past
  CHECK_THAT(json, Contains(R"("answers":{"1xx":0,"2xx":4,"3xx":0,"4xx":0,"5xx":0})"));
  CHECK_THAT(json, Contains(R"({"site":"a.example","answers":{"1xx":0,"2xx":0,"3xx":0,"4xx":14,"5xx":0},)"
                            R"("sent_bytes":198,"latency":{"count":2,"seconds":0.014,"buckets":[[0.01,2]]}})"));
  CHECK_THAT(json, Contains(R"({"site":"a.example","mount":"/x/","module":"hello","generation":2,)"
                            R"("filter":false,"state":"serving"})"));
  CHECK_THAT(json, Contains(R"("address":"unix:/s")") && Contains(R"("filter":true,"state":"switched off")"));
  CHECK_THAT(
      json,
      Contains(
          R"({"module":"hello","file":"h.so","folder":"/plugins","generation":2,"state":"serving","holds":0,)"
          R"("answers":{"count":2,"seconds":0,"longest_seconds":0,"buckets":[[1e-06,2]]},)"
          R"("counters":{"greeted":8}})"));
  CHECK_THAT(json,
             Contains(R"("file":"x\"\n.so","folder":"","generation":1,"state":"switched off","counters":{}})"));
  CHECK_THAT(json, Contains(R"("module_events":[{"time":1700000000,"module":"hello","generation":2,)"
                            R"("event":"refused","reason":"it \"is\" broken"}])"));
  CHECK_THAT(json, Contains(R"({"file":"/a.pem","names":["a.org"],"sites":["a.example"],)"
                            R"("not_after":1700086400,"days_left":1,"fingerprint":"AB","issuer":""})"));
}
