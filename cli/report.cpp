#include "report.h"

#include <ostream>

#include "supervisor.h"
#include "text_layout.h"

namespace sluice::cli {

int refuse(std::ostream& err, const Error& error) {
  err << "sluice: " << printable(error.message) << '\n';
  return kExitCouldNotStart;
}

}  // namespace sluice::cli
