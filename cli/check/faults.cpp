#include "check/faults.h"

#include <algorithm>

#include "base/text.h"

namespace sluice::cli {
namespace {

// A part of the core's sentence, the check that it belongs to, and a remedy.
struct Fault {
  std::string_view part;
  std::string_view check;
  std::string_view remedy;
  bool overdue = false;
};

constexpr Fault kFaults[] = {
    {"it threw ", "exceptions", "catch it where it is thrown, and answer with Exchange::fail"},
    {"it neither answered nor deferred", "answers",
     "call send, stream, fail or defer on every way through handle"},
    {"a deferred answer is overdue", "answers", "call Host::resume with the ticket of every deferred request",
     true},
    {"a parked body was not resumed", "answers", "call Host::resume with the ticket of every parked body",
     true},
    {"it answered a request twice", "answers", "return after the first answer"},
    {"answered or deferred already", "answers", "return after the first answer"},
    {"receive a request's body twice", "answers", "call receive once, in handle or while deferred"},
    {"more than it had declared", "lengths", "declare the size that the body writes, or kUnknownSize"},
    {"less than it had declared", "lengths", "declare the size that the body writes, or kUnknownSize"},
    {"it may not send the field", "fields", "leave framing to the server, and control bytes out of values"},
    {"fields are too long", "fields", "send fewer or shorter fields"},
    {"it set the status", "fields", "set one from 200 to 599"},
};

// Takes the sentence from a log line about a module: "TIME error check: module NAME at /x/: it threw ...".
std::string_view said_of_module(std::string_view line) {
  const std::size_t begin = line.find(" check: module ");
  const std::size_t end = line.find(": ", begin == std::string_view::npos ? line.size() : begin + 15);
  return end == std::string_view::npos ? std::string_view() : line.substr(end + 2);
}

}  // namespace

bool report_faults(std::string_view lines, const std::string& doing, Findings& findings) {
  bool overdue = false;
  while (!lines.empty()) {
    const std::string_view said = said_of_module(take_part(lines, "\n"));
    const auto fault = std::find_if(std::begin(kFaults), std::end(kFaults), [said](const Fault& known) {
      return said.find(known.part) != std::string_view::npos;
    });
    if (fault == std::end(kFaults)) continue;  // the module's own message
    overdue = overdue || fault->overdue;
    findings.fail(fault->check, std::string(said) + ": " + std::string(fault->remedy), doing);
  }
  return overdue;
}

}  // namespace sluice::cli
