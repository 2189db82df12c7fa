// What a server with these settings would answer to a request, without such a server: `sluice explain
// --config`.
//
// The settings are tried as at a start. Then their workers run, for this request, without sockets. Blocks. For
// a process with a single thread.
#pragma once

#include <string>

#include "base/explain_query.h"
#include "settings/settings.h"

namespace sluice {

// The explanation, as ExplainQuery::json asks for it. Modules that cannot be used are logged, as at a start.
Result<std::string> explain_settings(const Settings& settings, const ExplainQuery& query);

}  // namespace sluice
