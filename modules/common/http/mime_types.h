// The Content-Type of a file, by the extension of its name. Pure, any thread.
#pragma once

#include <span>
#include <string_view>

namespace sluice::files {

struct UsualType {
  std::string_view extension;  // in lower case
  std::string_view type;       // with "; charset=utf-8" for text
};

// By extension.
std::span<const UsualType> usual_types();

// A view of a constant, or `fallback` if the extension is unknown or missing. Case is ignored. Of "a.tar.gz"
// the last extension counts. A name whose only dot is its first byte has none.
std::string_view mime_type(std::string_view path, std::string_view fallback);

}  // namespace sluice::files
