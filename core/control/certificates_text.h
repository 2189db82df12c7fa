// The certificates of a running server: as a table for people, and as JSON. Supervisor's thread.
#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include "control/server_status.h"

namespace sluice {

// `now_s`: seconds since 1970.
std::string certificates_text(const std::vector<CertificateView>& certificates, std::int64_t now_s);
std::string certificates_json(const std::vector<CertificateView>& certificates, std::int64_t now_s);

}  // namespace sluice
