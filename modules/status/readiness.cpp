#include "status/readiness.h"

#include <algorithm>
#include <set>

#include "common/http/text.h"

namespace sluice::status {

Readiness judge_health(std::string_view health, const std::vector<std::string>& needs) {
  const std::string state(files::take_part(health, '\n'));
  if (state.empty()) return {false, "not ready: the supervisor does not answer\n"};
  if (state != "ready") return {false, "not ready: the server is " + state + "\n"};
  std::set<std::string_view> serving;
  std::string off;
  while (!health.empty()) {
    std::string_view name = files::take_part(health, '\n');
    const std::string_view is = files::take_part(name, ' ');
    if (is == "on") serving.insert(name);
    if (is == "off") off.append("module ").append(name).append(" is switched off\n");
  }
  const auto missing = std::find_if(needs.begin(), needs.end(),
                                    [&](const std::string& name) { return !serving.contains(name); });
  if (missing != needs.end())
    return {false, "not ready: module " + *missing + " does not serve, and the option needs names it\n" + off};
  return {true, "ready\n" + off};
}

}  // namespace sluice::status
