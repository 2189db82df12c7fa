#include "check/findings.h"

#include <algorithm>
#include <iterator>
#include <sstream>
#include <utility>

#include "text_layout.h"

namespace sluice::cli {
namespace {

// A module with a fault often has it in many places. A person needs only a few of them.
constexpr std::ptrdiff_t kPerCheckMax = 3;
constexpr std::size_t kVerdicts = 2;  // advice and failed

constexpr CheckText kChecks[] = {
    {"exports", "sluice_module is the only symbol that it exports"},
    {"unique-symbols", "no unique symbol keeps it in memory"},
    {"thread-locals", "no thread_local has a destructor"},
    {"stack", "it asks for no executable stack"},
    {"text", "its code needs no relocation"},
    {"static-tls", "it takes no thread-local storage that unloading does not give back"},
    {"libraries", "every library that it needs is found"},
    {"symbols", "every symbol that it needs is found"},
    {"debug-info", "it has debug information"},
    {"load", "it loads, and speaks the module ABI of this sluice"},
    {"description", "it says what it is"},
    {"options", "its table of options is sound"},
    {"needs", "it declares what it needs beyond the folders of its mounts"},
    {"mount", "its default mount is well-formed"},
    {"create", "a handler can be made with its options"},
    {"refusals", "odd values of options are taken, or refused with a sentence"},
    {"lifecycle", "handlers can be made and destroyed a hundred times"},
    {"unload", "it leaves the address space when it is unloaded"},
    {"requests", "every method, path and query is answered"},
    {"head", "HEAD has the same head as GET"},
    {"bodies", "requests with bodies are answered, and may be cut off"},
    {"pacing", "slow, pipelining and half-closed clients get the same answers"},
    {"departures", "clients may leave at any time"},
    {"swap", "the next generation takes over while this one still answers"},
    {"answers", "every request is answered once, whole and in time"},
    {"lengths", "answers are as long as they declare"},
    {"fields", "no field of an answer breaks HTTP"},
    {"exceptions", "nothing is thrown out of it"},
    {"loop", "it never holds up the loop"},
    {"memory", "no memory leaks"},
    {"descriptors", "no descriptor leaks"},
    {"threads", "no thread stays behind"},
    {"holds", "nothing is held for ever"},
};

constexpr std::string_view kStop = "stop";

// The shared text has room for all findings at once.
constexpr std::size_t kLineMax = 64 + 2 * kFindingTextMax;
static_assert(std::size(kChecks) * kPerCheckMax * kVerdicts * kLineMax <= kFindingsSizeMax);

// Cuts the sentence: the module may have made it long.
std::string presentable(std::string_view text) {
  std::string shown = printable(text);
  if (shown.size() <= kFindingTextMax) return shown;
  constexpr std::string_view kCut = "...";
  shown.resize(kFindingTextMax - kCut.size());
  return shown.append(kCut);
}

}  // namespace

std::span<const CheckText> all_checks() {
  return kChecks;
}

void Findings::add(Finding finding) {
  finding.sentence = presentable(finding.sentence);
  finding.where = presentable(finding.where);
  const auto of_its_kind = [&](const Finding& other) {
    return other.check == finding.check && other.verdict == finding.verdict;
  };
  const auto same = [&](const Finding& other) {
    return of_its_kind(other) && other.sentence == finding.sentence;
  };
  if (std::any_of(all_.begin(), all_.end(), same)) return;
  if (std::count_if(all_.begin(), all_.end(), of_its_kind) >= kPerCheckMax) return;
  all_.push_back(std::move(finding));
  if (copy_ != nullptr) copy_->set(encode());
}

void Findings::stop() {
  stopped_ = true;
  if (copy_ != nullptr) copy_->set(encode());
}

void Findings::merge(const Findings& others) {
  for (const Finding& finding : others.all_) add(finding);
  stopped_ = stopped_ || others.stopped_;
}

bool Findings::failed(std::string_view check) const {
  return std::any_of(all_.begin(), all_.end(), [check](const Finding& finding) {
    return finding.verdict == Verdict::failed && finding.check == check;
  });
}

// One line for each finding: the letter of the verdict and the check, a tab, the sentence, a tab, the place.
// Sentence and place have no control bytes.
std::string Findings::encode() const {
  std::string text;
  if (stopped_) text.append(kStop).append("\n");
  for (const Finding& finding : all_) {
    text += finding.verdict == Verdict::advice ? 'a' : 'f';
    text += finding.check + '\t' + finding.sentence + '\t' + finding.where + '\n';
  }
  return text;
}

Findings Findings::decode(std::string_view text) {
  Findings findings;
  std::istringstream lines{std::string(text)};
  for (std::string line; std::getline(lines, line);) {
    if (line == kStop) findings.stop();
    const std::size_t first = line.find('\t');
    const std::size_t second = line.find('\t', first + 1);
    if (first == std::string::npos || first == 0 || second == std::string::npos) continue;
    const std::string_view check = std::string_view(line).substr(1, first - 1);
    // The process that wrote this has run the module, so it may contain anything.
    if (std::none_of(std::begin(kChecks), std::end(kChecks),
                     [&](const CheckText& known) { return known.name == check; }))
      continue;
    findings.add({std::string(check), line[0] == 'a' ? Verdict::advice : Verdict::failed,
                  line.substr(first + 1, second - first - 1), line.substr(second + 1)});
  }
  return findings;
}

std::size_t CheckReport::failures() const {
  return static_cast<std::size_t>(std::count_if(results.begin(), results.end(), [](const CheckResult& result) {
    return result.verdict == Verdict::failed;
  }));
}

}  // namespace sluice::cli
