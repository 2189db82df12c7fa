// The live page: one document with its style and its script, which loads nothing else. Pure.
#pragma once

#include <string>
#include <string_view>

namespace sluice::status {

// In page_style.cpp and page_script.cpp.
extern const std::string_view kPageStyle;
extern const std::string_view kPageScript;

// Style and script carry the nonce, which the policy of page_policy names: nothing else runs.
std::string page_of(std::string_view nonce);
std::string page_policy(std::string_view nonce);

// 128 random bits, new for each answer. Empty if the system gives none.
std::string make_nonce();

}  // namespace sluice::status
