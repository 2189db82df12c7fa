#include "http/target_path.h"

#include <algorithm>

#include "http/authority.h"
#include "http/http_fields.h"

namespace sluice {
namespace {

constexpr std::string_view kWholeServer = "*";

constexpr Refusal kNoTarget = {400, "The target is neither a path nor an http URL."};
constexpr Refusal kBadEncoding = {400, "The target has a % without two hexadecimal digits, or an encoded NUL."};
constexpr Refusal kNoSuchFile = {404};

// Makes "/path" of "http://host/path" (RFC 9112 section 3.2.2).
Refusal strip_authority(std::string_view& target, std::string_view& authority, bool secured) {
  const std::size_t scheme_end = target.find("://");
  if (target.front() == '/' || scheme_end == std::string_view::npos) return {};
  const std::string_view scheme = target.substr(0, scheme_end);
  // The scheme has to be that of the connection (RFC 9110 section 7.4).
  if (equals_ignoring_case(scheme, "https")) {
    if (!secured) return {421, "This connection is not secured by TLS."};
  } else if (!equals_ignoring_case(scheme, "http")) {
    return kNoTarget;
  } else if (secured) {
    return {421, "This connection is for https, and the target for http."};
  }
  target.remove_prefix(scheme_end + 3);
  const std::size_t end = std::min(target.find_first_of("/?"), target.size());
  if (!is_authority(target.substr(0, end))) return kNoTarget;
  authority = target.substr(0, end);
  target.remove_prefix(end);
  return {};
}

bool needs_work(std::string_view path) {
  return path.find('%') != std::string_view::npos || path.find("//") != std::string_view::npos ||
         path.find("/.") != std::string_view::npos;
}

// Ends the segment that began at `start`; false if the path would leave the root.
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

// Decodes and normalises in one pass.
Refusal normalise(std::string_view path, std::string& out) {
  out.assign(1, '/');
  std::size_t segment = 1;
  for (std::size_t i = 1; i < path.size(); ++i) {
    if (path[i] == '/') {
      if (!end_segment(out, segment)) return kNoSuchFile;
      segment = out.size();
      continue;
    }
    char byte = path[i];
    if (byte == '%') {
      if (i + 2 >= path.size()) return kBadEncoding;
      const int high = hex_value(path[i + 1]);
      const int low = hex_value(path[i + 2]);
      if (high < 0 || low < 0) return kBadEncoding;
      byte = static_cast<char>(high * 16 + low);
      i += 2;
      if (byte == '\0') return kBadEncoding;
      if (byte == '/') return kNoSuchFile;  // no file name has a slash, and none is made out of one
    }
    out.push_back(byte);
  }
  const std::string_view last = std::string_view(out).substr(segment);
  if (last == "." || last == "..") {
    if (!end_segment(out, segment)) return kNoSuchFile;
  }
  return {};
}

}  // namespace

std::string_view without_authority(std::string_view target) {
  if (target.front() == '/') return target;
  const std::size_t authority = target.find("://") + 3;
  return target.substr(std::min(target.find_first_of("/?", authority), target.size()));
}

TargetPath judge_target(Method method, std::string_view target, bool secured, std::string& storage) {
  TargetPath result;
  if (target == kWholeServer) {
    result.path = target;
    return result;
  }
  std::string_view path = target;
  result.refusal = strip_authority(path, result.authority, secured);
  if (result.refusal) return result;
  const std::size_t mark = path.find('?');
  if (mark != std::string_view::npos) {
    result.query = path.substr(mark + 1);
    path = path.substr(0, mark);
  }
  // An absolute target without a path means the root. With OPTIONS and no query it means the whole server (RFC
  // 9112 section 3.2.4).
  if (path.empty() && target.front() != '?') {
    if (method == Method::options && mark == std::string_view::npos) {
      result.path = kWholeServer;
      return result;
    }
    path = "/";
  }
  if (path.empty() || path.front() != '/') {
    result.refusal = kNoTarget;
    return result;
  }
  if (!needs_work(path)) {
    result.path = path;
    return result;
  }
  result.refusal = normalise(path, storage);
  result.path = storage;
  return result;
}

}  // namespace sluice
