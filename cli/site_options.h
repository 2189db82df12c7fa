// The options of a site: how each one is set from its text. Any thread.
#pragma once

#include <string>

#include "serve_options.h"

namespace sluice::cli {

// Adds a mount, or the place of a filter. Refuses a prefix that is mounted already.
Result<void> add_mount(SiteSettings& site, MountSpec mount);

// As ServeOption::set.
Result<void> add_mount_text(const ServeOption& option, ServeRequest& request, const std::string& text);
Result<void> add_name(const ServeOption& option, ServeRequest& request, const std::string& text);
Result<void> add_listen(const ServeOption& option, ServeRequest& request, const std::string& text);
Result<void> add_certificate(const ServeOption& option, ServeRequest& request, const std::string& text);
Result<void> add_key(const ServeOption& option, ServeRequest& request, const std::string& text);
Result<void> set_redirect(const ServeOption& option, ServeRequest& request, const std::string& text);
Result<void> add_protocols(const ServeOption& option, ServeRequest& request, const std::string& text);
Result<void> set_hsts(const ServeOption& option, ServeRequest& request, const std::string& text);
Result<void> set_client_certificates(const ServeOption& option, ServeRequest& request, const std::string& text);

}  // namespace sluice::cli
