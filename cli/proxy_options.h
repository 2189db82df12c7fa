// The options that say which proxies are trusted: how each one is set from its text. Any thread.
#pragma once

#include <string>

#include "serve_options.h"

namespace sluice::cli {

// As ServeOption::set.
Result<void> add_proxy_network(const ServeOption& option, ServeRequest& request, const std::string& text);
Result<void> add_trusted_network(const ServeOption& option, ServeRequest& request, const std::string& text);
Result<void> set_trusted_field(const ServeOption& option, ServeRequest& request, const std::string& text);

}  // namespace sluice::cli
