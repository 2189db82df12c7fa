#include "check/request_step.h"

#include <fmt/core.h>
#include <algorithm>
#include <iterator>
#include <set>
#include <sstream>

#include "check/mounted_module.h"
#include "check/resources.h"

namespace sluice::cli {
namespace {

constexpr unsigned kRepeats = 8;
constexpr unsigned kRequestsPerWindow = 20;
// A handler that sleeps this long in nearly every request does so by itself, not because the machine is busy.
constexpr std::uint64_t kNapUs = 200;
constexpr std::size_t kLargeBody = 1024 * 1024;
constexpr unsigned kPipelined = 4;
constexpr std::uint64_t kSlowly = 256 * 1024;

std::string request_text(const std::string& target, bool last, const char* version = "1.1") {
  return fmt::format("GET {} HTTP/{}\r\nHost: check\r\n{}\r\n", target, version,
                     last ? "Connection: close\r\n" : "");
}

std::string sized_body(std::size_t size) {
  return fmt::format("Content-Length: {}\r\nConnection: close\r\n\r\n{}", size, std::string(size, 'x'));
}

// The lines of the head, with the status.
std::set<std::string> lines_of(const ClientAnswer& answer) {
  std::set<std::string> lines{"status " + std::to_string(answer.status)};
  std::istringstream text(answer.head);
  for (std::string line; std::getline(text, line);) lines.insert(line);
  return lines;
}

// The lines that only one of them has.
std::string difference(const ClientAnswer& left, const ClientAnswer& right) {
  const auto one = lines_of(left);
  const auto other = lines_of(right);
  std::vector<std::string> lines;
  std::set_symmetric_difference(one.begin(), one.end(), other.begin(), other.end(), std::back_inserter(lines));
  std::string text;
  for (const std::string& line : lines) text += (text.empty() ? "'" : ", '") + line + "'";
  return text.empty() ? "their order" : text;
}

bool same_head(const ClientAnswer& left, const ClientAnswer& right) {
  return left.status == right.status && left.head == right.head;
}

void check_head(TestWorker& worker, const std::string& target) {
  const auto before = worker.ask("GET", target);
  const auto head = worker.ask("HEAD", target);
  const auto after = worker.ask("GET", target);
  if (!before || !head || !after || !same_head(*before, *after) || same_head(*before, *head)) return;
  worker.findings().fail(
      "head",
      fmt::format("its head and that of GET differ in {}: answer both alike, the server leaves the content "
                  "out",
                  difference(*before, *head)),
      fmt::format("HEAD {} is answered", target));
}

void check_naps(TestWorker& worker, const std::string& target) {
  unsigned naps = 0;
  for (unsigned i = 0; i < kRepeats && !worker.overdue(); ++i) {
    if (worker.ask("GET", target) && worker.last_request().slept_us >= kNapUs) ++naps;
  }
  if (naps + 1 < kRepeats || worker.findings().failed("loop")) return;
  worker.findings().fail("loop", "it sleeps a little on the loop each time: hand what waits to Host::offload",
                         fmt::format("GET {} is answered", target));
}

// Compares an answer that a client got in another way with the one that is wanted.
void compare(TestWorker& worker, const MountedModule::Reference& wanted, const Client& client) {
  if (!worker.judge(client, "pacing") || !wanted.stable) return;
  for (const ClientAnswer& answer : client.answers()) {
    if (answer.size == wanted.answer.size && answer.hash == wanted.answer.hash) continue;
    return worker.findings().fail(
        "pacing", "its content is another than usual: offer bytes again that the sink did not take",
        worker.now_doing());
  }
}

// Sends a part of a body and ends the connection. False when work for it does not end.
bool cut_off(TestWorker& worker, const std::string& target, bool half_closed) {
  worker.doing(fmt::format("POST {} is cut off in its body", target));
  const auto client = worker.connect();
  if (client == nullptr) return false;
  client->send(fmt::format("POST {} HTTP/1.1\r\nHost: check\r\nContent-Length: 100\r\n\r\nten bytes.", target),
               0);
  if (half_closed) client->finish_sending();
  worker.run(client.get(), [&, turns = 0]() mutable { return ++turns > 4 || client->ended(); });
  if (half_closed) worker.run(client.get(), [&] { return client->ended(); });
  client->leave(true);
  if (worker.settle()) return true;
  if (!worker.faulted()) {
    worker.findings().fail(
        "bodies",
        "its work goes on without end: when the server destroys a Reader before end(), its offloaded work has "
        "to end, too",
        worker.now_doing());
  }
  return false;
}

}  // namespace

void check_requests(const ModuleUnderCheck& subject, Findings& findings) {
  const auto mounted = MountedModule::create(subject, "requests", findings);
  if (mounted == nullptr) return;
  TestWorker& worker = mounted->worker();
  for (const std::string& target : mounted->targets()) {
    for (const char* method : {"GET", "OPTIONS", "DELETE", "BREW"}) {
      const auto answer = worker.ask(method, target);
      if (worker.overdue() || findings.failed("loop")) return findings.stop();
      if (answer && answer->status >= 500 && answer->status != 501 && !worker.faulted()) {
        findings.advise("requests", fmt::format("it says {}: see whether that is meant", answer->status),
                        worker.now_doing());
      }
    }
    check_head(worker, target);
    check_naps(worker, target);
  }
}

void check_bodies(const ModuleUnderCheck& subject, Findings& findings) {
  const auto mounted = MountedModule::create(subject, "bodies", findings);
  if (mounted == nullptr) return;
  TestWorker& worker = mounted->worker();
  for (const std::string& target : mounted->small_targets()) {
    for (const char* method : {"POST", "PUT", "GET"}) {
      worker.ask(method, target, sized_body(11));
      worker.ask(method, target, sized_body(kLargeBody));
      worker.ask(
          method, target,
          "Transfer-Encoding: chunked\r\nConnection: close\r\n\r\n6\r\nchunks\r\n3;x=y\r\nand\r\n0\r\n\r\n");
      worker.ask(method, target, "Expect: 100-continue\r\n" + sized_body(5));
      if (worker.overdue()) return;
    }
    if (!cut_off(worker, target, false) || !cut_off(worker, target, true)) return;
  }
}

void check_pacing(const ModuleUnderCheck& subject, Findings& findings) {
  const auto mounted = MountedModule::create(subject, "pacing", findings);
  if (mounted == nullptr) return;
  TestWorker& worker = mounted->worker();
  const auto wanted = mounted->longest();
  if (!wanted) return;
  const std::string get = "GET " + wanted->target;
  const auto play = [&](const std::string& what, bool small_buffers,
                        const std::function<void(Client&)>& begin) {
    worker.doing(what);
    const auto client = worker.overdue() ? nullptr : worker.connect(small_buffers);
    if (client == nullptr) return;
    begin(*client);
    // Of a long answer, only the first part is taken slowly.
    worker.run(client.get(), [&] {
      return client->done() || client->ended() || client->received() >= kSlowly || wanted->answer.endless;
    });
    if (small_buffers) client->hurry();
    if (!worker.await(*client, wanted->target)) compare(worker, *wanted, *client);
    client->leave(true);
  };
  play(get + " arrives byte by byte", false, [&](Client& client) {
    client.send(request_text(wanted->target, true));
    client.trickle(1);
  });
  play(get + " is pipelined", false, [&](Client& client) {
    for (unsigned i = 1; i <= kPipelined; ++i) client.send(request_text(wanted->target, i == kPipelined));
  });
  play(get + " is read slowly", true, [&](Client& client) {
    client.send(request_text(wanted->target, true));
    client.slow_down(4096);
  });
  play(get + " comes from a half-closed client", false, [&](Client& client) {
    client.send(request_text(wanted->target, false));
    client.finish_sending();
  });
  play(get + " comes in HTTP/1.0", false,
       [&](Client& client) { client.send(request_text(wanted->target, false, "1.0")); });
}

void check_repetition(const ModuleUnderCheck& subject, Findings& findings) {
  const auto mounted = MountedModule::create(subject, "requests", findings);
  if (mounted == nullptr) return;
  TestWorker& worker = mounted->worker();
  const std::vector<std::string> targets = mounted->small_targets();
  find_growth(findings, "each round of GET and POST", kRequestsPerWindow, [&] {
    for (const std::string& target : targets) {
      worker.ask("GET", target);
      worker.ask("POST", target, sized_body(11));
      if (worker.overdue() || !worker.settle()) return false;
    }
    return true;
  });
}

}  // namespace sluice::cli
