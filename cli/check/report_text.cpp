#include "check/report_text.h"

#include <fmt/core.h>
#include <algorithm>

#include "text_layout.h"

namespace sluice::cli {
namespace {

constexpr std::size_t kVerdictColumn = 8;
constexpr std::size_t kSentenceColumn = 24;

std::string_view verdict_name(Verdict verdict) {
  switch (verdict) {
    case Verdict::ok:
      return "ok";
    case Verdict::advice:
      return "advice";
    case Verdict::failed:
      return "FAIL";
    case Verdict::untried:
      break;
  }
  return "untried";
}

// Quotes a text for JSON. Sentences have no control bytes. Bytes that are not UTF-8 come from the module, and
// each is replaced.
std::string json_text(std::string_view text) {
  std::string out = "\"";
  for (const char byte : text) {
    if (byte == '"' || byte == '\\') out += '\\';
    out += static_cast<unsigned char>(byte) < 0x80 ? byte : '?';
  }
  return out + '"';
}

std::string escaped(std::string_view text) {
  std::string out;
  for (const char byte : text) {
    switch (byte) {
      case '<':
        out += "&lt;";
        break;
      case '&':
        out += "&amp;";
        break;
      case '"':
        out += "&quot;";
        break;
      default:
        out += static_cast<unsigned char>(byte) < 0x80 ? byte : '?';
    }
  }
  return out;
}

std::string joined(const std::vector<std::string>& sentences) {
  std::string text;
  for (const std::string& sentence : sentences) text += (text.empty() ? "" : "; ") + sentence;
  return text;
}

std::size_t count(const CheckReport& report, Verdict verdict) {
  return static_cast<std::size_t>(std::count_if(report.results.begin(), report.results.end(),
                                                [&](const auto& result) { return result.verdict == verdict; }));
}

}  // namespace

std::string format_table(const CheckReport& report) {
  std::string out;
  std::string untried;
  for (const CheckResult& result : report.results) {
    std::string head(verdict_name(result.verdict));
    if (result.verdict == Verdict::untried) {
      untried += (untried.empty() ? "" : ", ") + result.check;
      continue;
    }
    head.resize(kVerdictColumn, ' ');
    head += result.check;
    for (const std::string& sentence : result.sentences) {
      out += hanging(std::move(head), kSentenceColumn, sentence);
      head.clear();
    }
  }
  if (!untried.empty()) out += hanging("untried", kVerdictColumn, untried);
  const std::size_t failures = report.failures();
  const std::string checks = std::to_string(report.results.size()) + " checks";
  const std::size_t advice = count(report, Verdict::advice);
  out += printable(report.file);
  out += report.clean() ? fmt::format(" is clean: {}", checks)
                        : fmt::format(": {} of {} failed", failures, checks);
  if (advice > 0) out += fmt::format(", {} with advice", advice);
  return out + '\n';
}

std::string format_json(const CheckReport& report) {
  std::string out = fmt::format(R"({{"file": {}, "clean": {}, "checks": [)", json_text(printable(report.file)),
                                report.clean() ? "true" : "false");
  for (const CheckResult& result : report.results) {
    out += (&result == report.results.data() ? "\n" : ",\n");
    out += fmt::format(R"(  {{"check": {}, "verdict": {}, "sentences": [)", json_text(result.check),
                       json_text(verdict_name(result.verdict)));
    for (const std::string& sentence : result.sentences) {
      out += (&sentence == result.sentences.data() ? "" : ", ") + json_text(sentence);
    }
    out += "]}";
  }
  return out + "\n]}\n";
}

std::string format_junit(const CheckReport& report) {
  std::string out = "<?xml version=\"1.0\" encoding=\"UTF-8\"?>\n";
  out += fmt::format(R"(<testsuite name="sluice check {}" tests="{}" failures="{}" skipped="{}">)",
                     escaped(printable(report.file)), report.results.size(), report.failures(),
                     count(report, Verdict::untried)) +
         '\n';
  for (const CheckResult& result : report.results) {
    out += fmt::format(R"(  <testcase classname="sluice.check" name="{}")", escaped(result.check));
    const std::string said = escaped(joined(result.sentences));
    if (result.verdict == Verdict::ok) out += "/>\n";
    if (result.verdict == Verdict::failed) out += fmt::format("><failure message=\"{}\"/></testcase>\n", said);
    if (result.verdict == Verdict::untried) out += fmt::format("><skipped message=\"{}\"/></testcase>\n", said);
    if (result.verdict == Verdict::advice)
      out += fmt::format("><system-out>{}</system-out></testcase>\n", said);
  }
  return out + "</testsuite>\n";
}

}  // namespace sluice::cli
