// The tables, one function for each part of the protocol.
#pragma once

#include "conformance/case.h"

namespace sluice::conformance {

std::vector<Case> request_cases();         // the request line, methods, Host
std::vector<Case> field_cases();           // field lines and their limits
std::vector<Case> framing_cases();         // bodies, and bytes that could be taken for one
std::vector<Case> connection_cases();      // when a connection goes on, and when it closes
std::vector<Case> path_cases();            // from a target to a file
std::vector<Case> condition_cases();       // If-Match and the others
std::vector<Case> range_cases();           // parts of files
std::vector<Case> representation_cases();  // types, codings, folders, error pages

}  // namespace sluice::conformance
