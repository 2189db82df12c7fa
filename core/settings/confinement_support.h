// Whether the kernel can confine workers as the settings ask for. Any thread of any process.
#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include "base/error.h"
#include "settings/settings.h"

namespace sluice {

// What the kernel can put in force, as bits of `confined::`.
std::uint64_t confinement_offered();
// What the kernel does not offer, for people; empty if it offers everything.
std::string confinement_lacking();
// Whether workers may read certain folders only: the settings want it, and the kernel can do it.
bool files_are_confined(const Settings& settings);
// An error if the settings say `on`, and the kernel does not offer all, or something granted does not exist.
Result<void> check_confinement(const Settings& settings);
// One sentence for each granted path that does not exist; none if workers are not confined.
std::vector<std::string> absent_grants(const Settings& settings);
// Variables of this process that libraries for clients read and no module is granted, as a sentence without
// their values. Empty if there are none, or if no module may reach anything by them.
std::string unseen_variables(const Settings& settings);

}  // namespace sluice
