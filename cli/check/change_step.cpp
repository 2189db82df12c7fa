#include "check/change_step.h"

#include <fmt/core.h>

#include "check/handler_step.h"
#include "check/mounted_module.h"
#include "check/resources.h"

namespace sluice::cli {
namespace {

constexpr unsigned kTurnsMax = 6;
constexpr unsigned kDeparturesPerWindow = 2;

// The bytes that a client has sent when it leaves.
struct Beginning {
  const char* state;  // the state of its connection
  std::string bytes;
};

std::vector<Beginning> beginnings(const std::string& target) {
  const std::string host = " HTTP/1.1\r\nHost: check\r\n";
  return {
      {"establishing", ""},
      {"parsing", fmt::format("GET {} HTTP/1.1\r\nHo", target)},
      {"a GET", "GET " + target + host + "\r\n"},
      {"a POST", fmt::format("POST {}{}Content-Length: 20\r\n\r\nten bytes.", target, host)},
      {"two GETs", fmt::format("GET {}{}\r\nGET {}{}\r\n", target, host, target, host)},
  };
}

// Lets one client leave after so many turns. False when work for it does not end.
bool depart(TestWorker& worker, const std::string& target, const Beginning& beginning, unsigned turns,
            bool reset) {
  worker.doing(
      fmt::format("a client of {} leaves {}in {}", target, reset ? "by a reset " : "", beginning.state));
  const auto client = worker.connect(true);
  if (client == nullptr) return false;
  client->send(beginning.bytes, 0);
  // The client takes a little of the answer, so that there is more to come.
  client->slow_down(turns % 2 == 0 ? 0 : 1024);
  for (unsigned i = 0; i < turns; ++i) {
    client->step();
    worker.turn();
  }
  client->leave(reset);
  if (worker.settle()) return true;
  if (!worker.faulted()) {
    worker.findings().fail(
        "departures",
        "its work goes on without end: when the server destroys a Body, Task or Reader, its offloaded work has "
        "to end, too",
        worker.now_doing());
  }
  return false;
}

}  // namespace

void check_departures(const ModuleUnderCheck& subject, Findings& findings) {
  const auto mounted = MountedModule::create(subject, "departures", findings);
  if (mounted == nullptr) return;
  TestWorker& worker = mounted->worker();
  const auto longest = mounted->longest();
  if (!longest) return;
  std::vector<std::string> targets = subject.request().requests;
  for (std::string& target : targets) target = worker.target(target);
  targets.push_back(longest->target);
  find_growth(findings, "each round of departing clients", kDeparturesPerWindow, [&] {
    for (const std::string& target : targets) {
      for (const Beginning& beginning : beginnings(target)) {
        for (unsigned turns = 0; turns < kTurnsMax; ++turns) {
          // After an orderly close, the server may notice nothing until the stream writes something.
          if (!worker.is_endless(target) && !depart(worker, target, beginning, turns, false)) return false;
          if (!depart(worker, target, beginning, turns, true)) return false;
        }
      }
    }
    return true;
  });
  if (findings.failed("departures")) return;  // the same work would hold it, too
  worker.unmount();
  give_up(worker, mounted->generation());
}

void check_swap(const ModuleUnderCheck& subject, Findings& findings) {
  const auto mounted = MountedModule::create(subject, "swap", findings);
  if (mounted == nullptr) return;
  TestWorker& worker = mounted->worker();
  const auto wanted = mounted->longest();
  if (!wanted) return;
  worker.doing(fmt::format("GET {} is answered during a swap", wanted->target));
  const auto client = worker.connect(true);
  if (client == nullptr) return;
  client->slow_down(1024);
  client->send(fmt::format("GET {} HTTP/1.1\r\nHost: check\r\nConnection: close\r\n\r\n", wanted->target));
  worker.run(client.get(), [&] { return client->received() > 0 || client->ended(); });

  auto next = worker.load(1);
  if (!next) {
    return findings.fail("swap",
                         "a second generation cannot be made beside the first: " + next.error().message);
  }
  worker.mount(*next);
  worker.retire(mounted->generation());
  mounted->generation().handler = InstanceRef();
  mounted->generation().shared = InstanceRef();
  worker.ask("GET", wanted->target);

  worker.doing(fmt::format("GET {} is answered during a swap", wanted->target));
  client->hurry();
  const bool endless = worker.await(*client, wanted->target);
  if (!endless && worker.judge(*client, "swap") && wanted->stable &&
      client->answers().front() != wanted->answer) {
    findings.fail("swap",
                  "an answer that began before a swap ends with other content: retire() must keep what "
                  "running answers need");
  }
  client->leave(endless);
  if (!give_up(worker, mounted->generation())) return;
  worker.ask("GET", wanted->target);
  worker.unmount();
  give_up(worker, *next);
}

}  // namespace sluice::cli
