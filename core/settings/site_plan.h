// A site that a worker is to serve: its settings completed by the server's, with its folder and pages opened.
//
// The supervisor makes it; read-only afterwards.
#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include "base/unique_fd.h"
#include "settings/error_pages.h"
#include "settings/settings.h"

namespace sluice {

struct SitePlan {
  static constexpr std::uint16_t kNoLog = 0xffff;

  SiteSettings settings;    // without what is unsaid
  std::string label;        // its name in the log, in errors and in `sluice status`
  bool is_default = false;  // the settings of the server itself; modules answer at their own mounts there
  UniqueFd root;
  std::string root_path;  // as it is written in the settings, made absolute
  ErrorPages error_pages;
  std::uint16_t access_log = kNoLog;      // of ServingPlan::access_logs
  std::vector<std::size_t> certificates;  // of ServingPlan::certificates; empty if no address has TLS
  std::string client_ca;                  // PEM; empty unless client certificates are asked for
  std::string https_port;                 // ":8443", as a URL has it; empty for 443, or if it is not known
  std::string secure_fields;              // lines for the heads of all answers over TLS
};

// Opens a folder to resolve paths below it (O_PATH). The error is one sentence: "WHAT PATH does not exist:
// REMEDY".
Result<UniqueFd> open_folder(const std::string& path, const std::string& what, const std::string& remedy);

// The PEM text of those who sign clients' certificates. The error is one sentence.
Result<std::string> read_client_ca(const std::string& file);

// All sites of the settings: first the default site, if there is one. Their certificates are not set. The
// error has a line for each mistake.
Result<std::vector<SitePlan>> plan_sites(const Settings& settings);

}  // namespace sluice
