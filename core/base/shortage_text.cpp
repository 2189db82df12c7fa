#include "base/shortage_text.h"

#include <algorithm>
#include <cerrno>
#include <cstring>
#include <iterator>

namespace sluice {

// Nobody sets a locale, so all processes of the server have the same texts for an errno.
bool tells_of_shortage(std::string_view sentence) {
  constexpr int kErrors[] = {EAGAIN, EDQUOT, EMFILE, ENFILE, ENOBUFS, ENOMEM, ENOSPC};
  return std::any_of(std::begin(kErrors), std::end(kErrors), [sentence](int error) {
    return sentence.find(std::strerror(error)) != std::string_view::npos;
  });
}

}  // namespace sluice
