// The options that say how the processes run and what they may do, and those of TLS that have a few values: how
// each one is set from its text. Any thread.
#pragma once

#include <string>

#include "serve_options.h"

namespace sluice::cli {

// As ServeOption::set.
Result<void> set_confine(const ServeOption& option, ServeRequest& request, const std::string& text);
Result<void> add_grant(const ServeOption& option, ServeRequest& request, const std::string& text);
Result<void> set_core_dumps(const ServeOption& option, ServeRequest& request, const std::string& text);
Result<void> set_workers(const ServeOption& option, ServeRequest& request, const std::string& text);
Result<void> set_log_level(const ServeOption& option, ServeRequest& request, const std::string& text);
Result<void> set_loop_audit(const ServeOption& option, ServeRequest& request, const std::string& text);
Result<void> set_tls_min(const ServeOption& option, ServeRequest& request, const std::string& text);
Result<void> set_check(const ServeOption& option, ServeRequest& request, const std::string& text);

}  // namespace sluice::cli
