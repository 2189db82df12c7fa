// The findings of `sluice check`, and the one list of all its checks.
//
// Each step of the check runs in a child process and passes its findings on as text. Plain values; one
// thread.
#pragma once

#include <cstdint>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "check/shared_text.h"

namespace sluice::cli {

enum class Verdict : std::uint8_t {
  ok,
  advice,  // worth doing, but nothing breaks without it
  failed,
  untried,  // the check could not be done
};

// One check.
struct CheckText {
  std::string_view name;  // "unique-symbols"
  std::string_view fine;  // the sentence of the report when nothing is found
};

// In the order of the report.
std::span<const CheckText> all_checks();

// Longer sentences and places are cut.
inline constexpr std::size_t kFindingTextMax = 480;
// The largest result of Findings::encode.
inline constexpr std::size_t kFindingsSizeMax = 256 * 1024;

struct Finding {
  std::string check;
  Verdict verdict = Verdict::failed;  // advice or failed
  std::string sentence;
  std::string where;  // "GET /hello/ is answered"; empty if it does not matter
};

class Findings {
 public:
  Findings() = default;
  // Keeps `copy` up to date with encode(). `copy` lives longer.
  explicit Findings(SharedText& copy) : copy_(&copy) {}

  // REQUIRES: `check` is the name of one of all_checks(). An equal sentence is kept only once, whatever its
  // place.
  void fail(std::string_view check, std::string sentence, std::string where = {}) {
    add({std::string(check), Verdict::failed, std::move(sentence), std::move(where)});
  }
  void advise(std::string_view check, std::string sentence, std::string where = {}) {
    add({std::string(check), Verdict::advice, std::move(sentence), std::move(where)});
  }
  void merge(const Findings& others);
  // Notes that nothing more can be tried that needs a working module.
  void stop();

  const std::vector<Finding>& all() const { return all_; }
  bool failed(std::string_view check) const;
  bool stopped() const { return stopped_; }
  // For passing findings from a child to its parent.
  std::string encode() const;
  static Findings decode(std::string_view text);

 private:
  void add(Finding finding);

  std::vector<Finding> all_;
  bool stopped_ = false;
  SharedText* copy_ = nullptr;
};

// The line of one check in the report.
struct CheckResult {
  std::string check;
  Verdict verdict = Verdict::ok;
  std::vector<std::string> sentences;  // one at least
};

struct CheckReport {
  std::string file;
  std::vector<CheckResult> results;  // one for each of all_checks()

  std::size_t failures() const;
  bool clean() const { return failures() == 0; }
};

}  // namespace sluice::cli
