// The counters of a server, read from the text format of Prometheus as `sluice metrics` prints it. Plain
// values.
#pragma once

#include <map>
#include <string>
#include <string_view>
#include <vector>

namespace sluice::cli {

class MetricSamples {
 public:
  struct Sample {
    std::map<std::string, std::string, std::less<>> labels;
    double value = 0;
  };

  // Lines that cannot be read are left out.
  explicit MetricSamples(std::string_view text);

  const std::vector<Sample>& of(std::string_view name) const;
  // Of all samples of that name.
  double sum(std::string_view name) const;
  // Of those whose label has that value.
  double sum(std::string_view name, std::string_view label, std::string_view value) const;
  // The values of a label, each once, in their order.
  std::vector<std::string> values(std::string_view name, std::string_view label) const;

 private:
  std::map<std::string, std::vector<Sample>, std::less<>> samples_;
};

}  // namespace sluice::cli
