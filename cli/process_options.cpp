#include "process_options.h"

#include <utility>

#include "settings/option_value.h"
#include "settings/written_text.h"

namespace sluice::cli {

Result<void> set_confine(const ServeOption&, ServeRequest& request, const std::string& text) {
  return parse_confine(text).map([&](Confine confine) { request.settings.confine = confine; });
}

Result<void> add_grant(const ServeOption&, ServeRequest& request, const std::string& text) {
  return parse_grant(text).map([&](Grant&& grant) { request.settings.grants.push_back(std::move(grant)); });
}

Result<void> set_core_dumps(const ServeOption&, ServeRequest& request, const std::string& text) {
  return parse_flag(text).map([&](bool on) { request.settings.core_dumps = on; });
}

Result<void> set_workers(const ServeOption&, ServeRequest& request, const std::string& text) {
  return parse_workers(text).map([&](std::uint32_t workers) { request.settings.workers = workers; });
}

Result<void> set_log_level(const ServeOption&, ServeRequest& request, const std::string& text) {
  return parse_log_level(text).map([&](LogLevel level) { request.settings.log_level = level; });
}

Result<void> set_loop_audit(const ServeOption&, ServeRequest& request, const std::string& text) {
  return parse_flag(text).map([&](bool on) { request.settings.loop_audit = on; });
}

Result<void> set_tls_min(const ServeOption&, ServeRequest& request, const std::string& text) {
  if (text != "1.2" && text != "1.3")
    return fail(in_quotes(text) + " is not a version that sluice speaks: write 1.2 or 1.3");
  request.settings.tls_min = text == "1.2" ? TlsVersion::v1_2 : TlsVersion::v1_3;
  return {};
}

Result<void> set_check(const ServeOption&, ServeRequest& request, const std::string& text) {
  return parse_flag(text).map([&](bool on) { request.check = on; });
}

}  // namespace sluice::cli
