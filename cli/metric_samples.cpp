#include "metric_samples.h"

#include <algorithm>
#include <cstdlib>
#include <optional>

#include "base/text.h"

namespace sluice::cli {
namespace {

// Takes `name="value"` off the front. Nothing if the text begins otherwise.
std::optional<std::pair<std::string, std::string>> take_label(std::string_view& text) {
  const std::size_t quote = text.find("=\"");
  if (quote == std::string_view::npos) return std::nullopt;
  std::string name(text.substr(0, quote));
  std::string value;
  for (std::size_t i = quote + 2; i < text.size(); ++i) {
    if (text[i] == '"') {
      text.remove_prefix(i + 1);
      return std::pair(std::move(name), std::move(value));
    }
    if (text[i] == '\\' && i + 1 < text.size()) ++i;
    value += text[i];
  }
  return std::nullopt;
}

}  // namespace

MetricSamples::MetricSamples(std::string_view text) {
  while (!text.empty()) {
    std::string_view line = take_part(text, "\n");
    if (line.empty() || line.starts_with('#')) continue;
    const std::size_t end = line.find_first_of("{ ");
    if (end == std::string_view::npos) continue;
    const std::string name(line.substr(0, end));
    line.remove_prefix(end);
    Sample sample;
    bool is_whole = true;
    if (line.starts_with('{')) {
      while (is_whole && !line.empty() && line.front() != '}') {
        line.remove_prefix(1);  // '{' or ','
        auto label = take_label(line);
        is_whole = label.has_value();
        if (is_whole) sample.labels.insert(std::move(*label));
      }
      if (!line.empty()) line.remove_prefix(1);
    }
    if (!is_whole || line.size() < 2) continue;
    sample.value = std::strtod(std::string(line.substr(1)).c_str(), nullptr);
    samples_[name].push_back(std::move(sample));
  }
}

const std::vector<MetricSamples::Sample>& MetricSamples::of(std::string_view name) const {
  static const std::vector<Sample> kNone;
  const auto found = samples_.find(name);
  return found == samples_.end() ? kNone : found->second;
}

double MetricSamples::sum(std::string_view name) const {
  double sum = 0;
  for (const Sample& sample : of(name)) sum += sample.value;
  return sum;
}

double MetricSamples::sum(std::string_view name, std::string_view label, std::string_view value) const {
  double sum = 0;
  for (const Sample& sample : of(name)) {
    const auto found = sample.labels.find(label);
    if (found != sample.labels.end() && found->second == value) sum += sample.value;
  }
  return sum;
}

std::vector<std::string> MetricSamples::values(std::string_view name, std::string_view label) const {
  std::vector<std::string> values;
  for (const Sample& sample : of(name)) {
    const auto found = sample.labels.find(label);
    if (found == sample.labels.end() || std::count(values.begin(), values.end(), found->second) > 0) continue;
    values.push_back(found->second);
  }
  return values;
}

}  // namespace sluice::cli
