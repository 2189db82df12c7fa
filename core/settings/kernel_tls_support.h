// Whether the kernel can do what `ktls` asks of it. tcp(7); Linux Documentation/networking/tls.rst.
//
// Any thread. The kernel loads its module meanwhile, if a process asks that may (CAP_NET_ADMIN).
#pragma once

#include <optional>
#include <string>

#include "settings/serving_plan.h"

namespace sluice {

// A sentence if the plan asks for the kernel's TLS and there is none.
std::optional<std::string> kernel_tls_warning(const ServingPlan& plan);

}  // namespace sluice
