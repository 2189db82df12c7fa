#include "common/http/html_wish.h"

#include <string_view>

#include "common/http/quality_list.h"
#include "common/http/text.h"

namespace sluice::files {
namespace {

constexpr int kNamed = 3;

// How precisely a media range names HTML; 0 if it does not.
int precision_of(std::string_view range) {
  if (equals_ignoring_case(range, "text/html") || equals_ignoring_case(range, "application/xhtml+xml"))
    return kNamed;
  if (equals_ignoring_case(range, "text/*")) return 2;
  return range == "*/*" ? 1 : 0;
}

}  // namespace

HtmlWish html_wish(const Request& request) {
  bool sent = false;
  bool ruled_out = false;
  int precision = 0;
  for_each_weighted(request, FieldId::accept, [&](const WeightedMember& range) {
    if (range.name.empty()) return;
    sent = true;
    const int found = precision_of(range.name);
    if (found == 0 || found < precision) return;
    ruled_out = range.weight == 0U || (ruled_out && found == precision);
    precision = found;
  });
  if (!sent) return HtmlWish::allowed;
  if (precision == 0 || ruled_out) return HtmlWish::refused;
  return precision == kNamed ? HtmlWish::named : HtmlWish::allowed;
}

}  // namespace sluice::files
