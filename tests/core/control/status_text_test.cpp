// The tables of a running server's state.
#include "control/status_text.h"

#include <catch2/catch.hpp>

#include <memory>
#include "base/confined.h"

using namespace sluice;

TEST_CASE("workers and mounts stand in columns", "[status]") {
  const auto stats = std::make_unique<WorkerStats>();
  stats->requests.add(1234);
  stats->connections_open.set(5);
  ServerView view;
  view.pid = 77;
  view.up_ms = 26ULL * 3'600'000;
  view.listening = {"http://127.0.0.1:8080"};
  view.places = {
      {"default", true, "/static/", "", {"s.so", "/p/s.3.so", 3, "static_sendfile", "", false, false}},
      {"default", true, "/x/", "unix:/x", {"x.so", "/p/x.1.so", 1, "x", "", true, false}}};
  view.workers = {{0, 78, 61'000, "serving", stats.get()}, {1, 79, 7'260'000, "ending", stats.get()}};
  CHECK(status_text(view) ==
        "process 77, running for 1d 2h\n"
        "listening at http://127.0.0.1:8080\n"
        "\n"
        "WORKER  PROCESS  STATE    RUNNING  CONNECTIONS  REQUESTS  CONFINED\n"
        "1       78       serving  1m 1s    5            1234      no\n"
        "2       79       ending   2h 1m    5            1234      no\n"
        "\n"
        "MOUNT     MODULE           GENERATION  STATE\n"
        "/static/  static_sendfile  3           serving\n"
        "/x/       x                1           switched off at unix:/x\n");
  view.several_folders = true;
  view.places[1].module.folder = "/etc/sluice/plugins.d";
  CHECK_THAT(status_text(view), Catch::Matchers::Contains("switched off at unix:/x  /etc/sluice/plugins.d\n"));
  view.several_folders = false;
  stats->confined.set(confined::kAll);
  view.workers[1].granted = "network,exec";
  CHECK_THAT(status_text(view), Catch::Matchers::Contains("5            1234      yes\n") &&
                                    Catch::Matchers::Contains("1234      yes, but for network,exec\n"));
  stats->confined.set(confined::kCalls | confined::kPrivileges);
  view.lacking = "Landlock";
  CHECK_THAT(status_text(view), Catch::Matchers::Contains("1234      calls, privileges\n") &&
                                    Catch::Matchers::Contains("\nthis kernel does not offer Landlock\n"));
  view.places[1].site = "a.example";
  view.places[1].site_is_default = false;
  CHECK_THAT(
      status_text(view),
      Catch::Matchers::EndsWith("SITE       MOUNT     MODULE           GENERATION  STATE\n"
                                "default    /static/  static_sendfile  3           serving\n"
                                "a.example  /x/       x                1           switched off at unix:/x\n"));
  view.certificates = {
      {{"/a.pem", {"a.org", "*.a.org", "b", "c", "d", "e"}, 1'700'000'000, "AB"}, {"a.example"}},
      {{"self-signed", {}, 0, ""}, {}}};
  CHECK_THAT(status_text(view),
             Catch::Matchers::EndsWith(
                 "\n"
                 "SITE       CERTIFICATE  EXPIRES                  NAMES\n"
                 "a.example  /a.pem       2023-11-14 22:13:20 UTC  a.org, *.a.org, b, c, and 2 more\n"
                 "           self-signed  1970-01-01 00:00:00 UTC  \n"));
  view.places[1].site_is_default = true;
  CHECK_THAT(status_text(view),
             Catch::Matchers::Contains("\nCERTIFICATE  EXPIRES                  NAMES\n/a.pem "));
}
