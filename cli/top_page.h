// The page of `sluice top`: what a server has done between two looks at its counters. Pure; any thread.
#pragma once

#include <string>

#include "metric_samples.h"

namespace sluice::cli {

// REQUIRES: seconds > 0.
std::string top_page(const MetricSamples& before, const MetricSamples& now, double seconds);

}  // namespace sluice::cli
