// Whether the kernel can confine workers as the settings ask for. Any thread of any process.
#pragma once

#include <cstdint>
#include <string>

#include "base/error.h"
#include "settings/settings.h"

namespace sluice {

// What the kernel can put in force, as bits of `confined::`.
std::uint64_t confinement_offered();
// What the kernel does not offer, for people; empty if it offers everything.
std::string confinement_lacking();
// Whether workers may read certain folders only: the settings want it, and the kernel can do it.
bool files_are_confined(const Settings& settings);
// An error if the settings want more than the kernel offers.
Result<void> check_confinement(const Settings& settings);

}  // namespace sluice
