// Targets: the judge agrees with the slow reference, and an accepted path cannot leave a root.
#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <string>

#include "expect.h"
#include "http/authority.h"
#include "support/slow_target_path.h"

using namespace sluice;
using fuzz::expect;

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  const std::string target(reinterpret_cast<const char*>(data), size);
  is_authority(target);
  // The parser lets only visible ASCII pass.
  const bool may_come =
      std::all_of(target.begin(), target.end(), [](char byte) { return byte > 0x20 && byte < 0x7f; });
  if (target.empty() || !may_come) return 0;
  std::string storage;
  const TargetPath judged = judge_target(Method::get, target, false, storage);
  if (target.front() == '/') {
    expect(test::judge_slowly(target).agrees_with(judged), "the judge agrees with the slow reference");
  }
  if (judged.refusal || judged.path == "*") return 0;
  expect(judged.path.front() == '/', "a path begins with a slash");
  expect(judged.path.find('\0') == std::string_view::npos, "a path has no NUL");
  const std::string closed = std::string(judged.path) + "/";
  expect(closed.find("/../") == std::string::npos, "a path has no segment of two dots");
  expect(closed.find("/./") == std::string::npos, "a path has no segment of one dot");
  expect(judged.path.find("//") == std::string_view::npos, "a path has no empty segment");
  return 0;
}
