#include "http/target_path.h"

#include <algorithm>

#include "http/authority.h"
#include "http/http_fields.h"

namespace sluice {
namespace {

constexpr std::string_view kWholeServer = "*";

// "http://host/path" becomes "/path". Returns 200, or what such a target deserves (RFC 9112 section 3.2.2).
std::uint32_t strip_authority(std::string_view& target) {
  const std::size_t scheme_end = target.find("://");
  if (target.front() == '/' || scheme_end == std::string_view::npos) return 200;
  const std::string_view scheme = target.substr(0, scheme_end);
  // Nothing that is meant for a secured connection is answered on another (RFC 9110 section 7.4).
  if (equals_ignoring_case(scheme, "https")) return 421;
  if (!equals_ignoring_case(scheme, "http")) return 400;
  target.remove_prefix(scheme_end + 3);
  const std::size_t end = std::min(target.find_first_of("/?"), target.size());
  if (!is_authority(target.substr(0, end))) return 400;
  target.remove_prefix(end);
  return 200;
}

bool needs_work(std::string_view path) {
  return path.find('%') != std::string_view::npos || path.find("//") != std::string_view::npos ||
         path.find("/.") != std::string_view::npos;
}

// Ends the segment that began at `start`; false when it would leave the root.
bool end_segment(std::string& out, std::size_t start) {
  const std::string_view segment = std::string_view(out).substr(start);
  if (segment.empty() || segment == ".") {
    out.resize(start);
    return true;
  }
  if (segment == "..") {
    if (start == 1) return false;
    out.resize(out.rfind('/', start - 2) + 1);
    return true;
  }
  out.push_back('/');
  return true;
}

// Decodes and normalises in one pass; 200, or why not.
std::uint32_t normalise(std::string_view path, std::string& out) {
  out.assign(1, '/');
  std::size_t segment = 1;
  for (std::size_t i = 1; i < path.size(); ++i) {
    if (path[i] == '/') {
      if (!end_segment(out, segment)) return 404;
      segment = out.size();
      continue;
    }
    char byte = path[i];
    if (byte == '%') {
      if (i + 2 >= path.size()) return 400;
      const int high = hex_value(path[i + 1]);
      const int low = hex_value(path[i + 2]);
      if (high < 0 || low < 0) return 400;
      byte = static_cast<char>(high * 16 + low);
      i += 2;
      if (byte == '\0') return 400;
      if (byte == '/') return 404;  // no file name has a slash, and none is made out of one
    }
    out.push_back(byte);
  }
  const std::string_view last = std::string_view(out).substr(segment);
  if (last == "." || last == "..") {
    if (!end_segment(out, segment)) return 404;
  }
  return 200;
}

}  // namespace

TargetPath judge_target(Method method, std::string_view target, std::string& storage) {
  TargetPath result;
  if (target == kWholeServer) {
    result.path = target;
    return result;
  }
  std::string_view path = target;
  result.status = strip_authority(path);
  if (result.status != 200) return result;
  const std::size_t mark = path.find('?');
  if (mark != std::string_view::npos) {
    result.query = path.substr(mark + 1);
    path = path.substr(0, mark);
  }
  // An absolute target need not have a path. What it asks for is the root's; but OPTIONS, unless it has a
  // query, means the whole server (RFC 9112 section 3.2.4).
  if (path.empty() && target.front() != '?') {
    if (method == Method::options && mark == std::string_view::npos) {
      result.path = kWholeServer;
      return result;
    }
    path = "/";
  }
  if (path.empty() || path.front() != '/') {
    result.status = 400;
    return result;
  }
  if (!needs_work(path)) {
    result.path = path;
    return result;
  }
  result.status = normalise(path, storage);
  result.path = storage;
  return result;
}

}  // namespace sluice
