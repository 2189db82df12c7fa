#include "common/serving/file_decisions.h"

#include <algorithm>

namespace sluice::files {
namespace {

bool has_field(const Request& request, FieldId id) {
  return std::any_of(request.fields, request.fields + request.field_count,
                     [id](const Field& field) { return field.id == id; });
}

}  // namespace

std::string opening(const OpenFile& file, Coding coding) {
  std::string text = "opens " + file.path();
  if (coding != Coding::identity) text.append(", coded with ").append(coding_name(coding));
  text += ": " + std::to_string(file.facts().size) + " bytes, " + file.type();
  text += file.etag().empty() ? ", without an ETag" : ", ETag " + file.etag();
  return text;
}

std::string judgement(const Request& request, const Conditions& conditions) {
  switch (conditions.verdict) {
    case Verdict::not_modified:
      return has_field(request, FieldId::if_none_match)
                 ? "answers 304: If-None-Match names its ETag"
                 : "answers 304: it has not changed since If-Modified-Since";
    case Verdict::failed:
      return has_field(request, FieldId::if_match) ? "answers 412: If-Match does not name its ETag strongly"
                                                   : "answers 412: it has changed since If-Unmodified-Since";
    case Verdict::proceed:
      break;
  }
  if (!conditions.range_applies) return "If-Range does not hold, so Range does not count";
  return "the conditions of the request let it answer";
}

std::string ranges_found(const RangeRequest& ranges) {
  if (ranges.kind == RangeRequest::Kind::unsatisfiable) return "answers 416: the file has no byte of Range";
  if (ranges.kind == RangeRequest::Kind::partial)
    return "answers 206: Range asks for " + std::to_string(ranges.ranges.size()) + " part(s)";
  return "Range does not count: it is none of bytes that can be read";
}

std::string wanted_codings(const Codings& codings) {
  std::string text = "the client takes, by Accept-Encoding, best first:";
  for (const Coding coding : codings) text.append(" ").append(coding_name(coding));
  return text;
}

}  // namespace sluice::files
