// The durations of requests in shared memory, by what OpenTelemetry's conventions for HTTP know of a request
// and this server knows to be few: its method, the class of its status, the mount (the route), and the site.
//
// As counters.h says: one thread writes, all read, and bytes that are zero are valid.
#pragma once

#include <array>
#include <cstdint>
#include <string_view>

#include "telemetry/counters.h"

namespace sluice {

// With the bounds that the conventions advise for http.server.request.duration.
class RequestHistogram {
 public:
  static constexpr std::array<std::uint32_t, 14> kBoundsMs = {5,   10,  25,   50,   75,   100,  250,
                                                              500, 750, 1000, 2500, 5000, 7500, 10000};
  static constexpr std::size_t kBuckets = kBoundsMs.size() + 1;  // the last one has no bound

  void add(std::uint64_t nanoseconds);
  void absorb(const RequestHistogram& other);
  std::uint64_t count() const;
  // Those up to its bound that no bucket before has.
  std::uint64_t bucket(std::size_t index) const { return buckets_[index].get(); }
  std::uint64_t total_ns() const { return total_ns_.get(); }

 private:
  Counter buckets_[kBuckets];
  Counter total_ns_;
};

// As the conventions write methods; the last one stands for all others.
inline constexpr std::array<std::string_view, 10> kMethods = {
    "GET", "HEAD", "POST", "PUT", "PATCH", "DELETE", "OPTIONS", "TRACE", "CONNECT", "_OTHER"};

struct RequestSeries {
  Label site;
  Label route;  // the mount's prefix; empty if no handler has answered
  Counter
      kind;  // one more than the method's place in kMethods times ten, plus the class of the status; 0: unused
  RequestHistogram durations;

  std::size_t method_index() const { return (kind.get() - 1) / 10 % kMethods.size(); }
  std::string_view method() const { return kMethods[method_index()]; }
  std::uint64_t status_class() const { return (kind.get() - 1) % 10; }
  static std::uint64_t kind_of(std::size_t method, std::uint32_t status) {
    return 1 + method * 10 + status / 100 % 10;
  }
};

// Where the series of one route, or of one site without a route, are: found once, and then known. One more than
// the index in WorkerStats::request_series; 0: not found yet.
struct RequestSeriesCache {
  std::array<std::uint16_t, kMethods.size() * 10> places{};
};

}  // namespace sluice
