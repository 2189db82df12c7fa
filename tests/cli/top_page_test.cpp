// The page of `sluice top`, from two looks at a server's counters.
#include "top_page.h"

#include <catch2/catch.hpp>

using namespace sluice;
using namespace sluice::cli;

namespace {

using Catch::Matchers::Contains;

constexpr const char* kBefore = R"(# HELP sluice_up_seconds x
sluice_up_seconds 60
sluice_requests_total{worker="1"} 100
sluice_sent_bytes_total{worker="1"} 1000
sluice_answers_total{worker="1",class="2xx"} 100
http_server_request_duration_seconds_bucket{http_request_method="GET",http_route="/a/",class="2xx",le="0.005"} 10
http_server_request_duration_seconds_bucket{http_request_method="GET",http_route="/a/",class="2xx",le="+Inf"} 10
sluice_module_answer_seconds_count{module="hello"} 5
)";
constexpr const char* kNow = R"(sluice_up_seconds 62
sluice_workers 2
sluice_requests_total{worker="1"} 300
sluice_requests_total{worker="2"} 20
sluice_sent_bytes_total{worker="1"} 5001000
sluice_connections_open{worker="1"} 7
sluice_connections_open{worker="2"} 1
sluice_loop_longest_turn_seconds{worker="1"} 0.0015
sluice_waits{worker="1",for="head"} 3
sluice_waits{worker="2",for="head"} 1
sluice_answers_total{worker="1",class="2xx"} 280
sluice_answers_total{worker="1",class="5xx"} 20
http_server_request_duration_seconds_bucket{http_request_method="GET",http_route="/a/",class="2xx",le="0.005"} 60
http_server_request_duration_seconds_bucket{http_request_method="GET",http_route="/a/",class="2xx",le="+Inf"} 110
http_server_request_duration_seconds_bucket{http_request_method="GET",http_route="/b/",class="2xx",le="0.005"} 4
http_server_request_duration_seconds_bucket{http_request_method="GET",http_route="/b/",class="2xx",le="+Inf"} 4
sluice_module_generation{module="hello"} 3
sluice_module_closed{module="hello"} 1
sluice_module_answer_seconds_count{module="hello"} 25
broken{x=
broken{x="y
)";

TEST_CASE("samples are read from the text format") {
  const MetricSamples samples("a 1\na{x=\"1\",y=\"a\\\"b\"} 2.5\n# a 9\nb 4\nc\n{");
  CHECK(samples.sum("a") == 3.5);
  CHECK(samples.sum("a", "y", "a\"b") == 2.5);
  CHECK(samples.sum("a", "y", "c") == 0);
  CHECK(samples.values("a", "x") == std::vector<std::string>{"1"});
  CHECK(samples.sum("b") == 4);
  CHECK(samples.of("c").empty());
}

TEST_CASE("the page shows what has happened between two looks") {
  const std::string page = top_page(MetricSamples(kBefore), MetricSamples(kNow), 2);
  CHECK_THAT(page, Contains("up 1m 2s, 2 workers, 8 connections\n"));
  CHECK_THAT(page, Contains("110 requests/s, 2.5 MB/s sent; 2xx 90/s 3xx 0.0/s 4xx 0.0/s 5xx 10/s\n"));
  CHECK_THAT(page, Contains("waiting for head: 4\n"));
  CHECK_THAT(page, Contains("WORKER  REQUESTS/S  SENT/S  CONNECTIONS  LONGEST TURN\n"
                            "1       100         2.5 MB  7            1.50 ms\n"
                            "2       10          0 B     1            0.00 ms\n"));
  CHECK_THAT(page, Contains("SITE  MOUNT  REQUESTS/S  HALF WITHIN  99% WITHIN\n"
                            "-     /a/    50          5 ms         > 10 s\n"
                            "-     /b/    2.0         5 ms         5 ms\n"));
  CHECK_THAT(page, Contains("MODULE  GENERATION  STATE         ANSWERS/S\n"
                            "hello   3           switched off  10\n"));
}

}  // namespace
