#include "exit_error.h"

#include <ostream>

#include "server/supervisor.h"
#include "text_layout.h"

namespace sluice::cli {

int refuse(std::ostream& err, const Error& error) {
  warn(err, error.message);
  return kExitCouldNotStart;
}

void warn(std::ostream& err, const std::string& sentence) {
  err << "sluice: " << printable(sentence) << '\n';
}

}  // namespace sluice::cli
