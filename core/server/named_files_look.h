// What a child finds in the files that settings name, and in the places that confined workers read, compared
// with what is in force. Stateless; waits for the disks.
#pragma once

#include <cstdint>
#include <string>

#include "settings/serving_plan.h"

namespace sluice {

enum class Named : std::uint8_t { files, places };

// The name of a step that stands for all names in its folder.
inline constexpr const char* kAnyName = "*";

// Whether there is anything to look at.
bool names_any(Named what, const ServingPlan& plan);

// Netstrings: something that identifies the contents, or nothing if they are in force; why they cannot be read;
// a place that confined workers may not read any more; and then a folder and a name for each step of all paths,
// together in one netstring.
std::string look_at(Named what, const ServingPlan& plan);

}  // namespace sluice
