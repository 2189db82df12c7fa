#include "check/change_step.h"

#include "check/handler_step.h"
#include "check/resources.h"
#include "check/served.h"

namespace sluice::cli {
namespace {

constexpr unsigned kTurnsMax = 6;
constexpr unsigned kRoundsPerWindow = 2;

// What a client has sent when it leaves.
struct Beginning {
  const char* state;  // of its connection
  std::string bytes;
};

std::vector<Beginning> beginnings(const std::string& target) {
  const std::string host = " HTTP/1.1\r\nHost: check\r\n";
  return {
      {"establishing", ""},
      {"parsing", "GET " + target + " HTTP/1.1\r\nHo"},
      {"a GET", "GET " + target + host + "\r\n"},
      {"a POST", "POST " + target + host + "Content-Length: 20\r\n\r\nten bytes."},
      {"two GETs", "GET " + target + host + "\r\nGET " + target + host + "\r\n"},
  };
}

// One client that leaves after so many turns. False when something of it stays.
bool depart(Stand& stand, const std::string& target, const Beginning& beginning, unsigned turns, bool reset) {
  stand.doing("a client of " + target + " leaves " + (reset ? "by a reset " : "") + "in " + beginning.state);
  const auto client = stand.connect(true);
  if (client == nullptr) return false;
  client->send(beginning.bytes, 0);
  // It takes a little of the answer, so that there is more to come.
  client->slow_down(turns % 2 == 0 ? 0 : 1024);
  for (unsigned i = 0; i < turns; ++i) {
    client->step();
    stand.turn();
  }
  client->leave(reset);
  if (stand.settle()) return true;
  if (!stand.faulted()) {
    stand.findings().fail(
        "departures",
        "work for it goes on without end: a Body, Task or Reader that is destroyed has to let "
        "offloaded work end, too",
        stand.now_doing());
  }
  return false;
}

}  // namespace

void check_departures(const Subject& subject, Findings& findings) {
  const auto served = Served::create(subject, "departures", findings);
  if (served == nullptr) return;
  Stand& stand = served->stand();
  const auto longest = served->longest();
  if (!longest) return;
  std::vector<std::string> targets = subject.request().requests;
  for (std::string& target : targets) target = stand.target(target);
  targets.push_back(longest->target);
  find_growth(findings, "each round of departing clients", kRoundsPerWindow, [&] {
    for (const std::string& target : targets) {
      for (const Beginning& beginning : beginnings(target)) {
        for (unsigned turns = 0; turns < kTurnsMax; ++turns) {
          // Who only closes may be noticed when the stream has something to say, and not before.
          if (!stand.is_endless(target) && !depart(stand, target, beginning, turns, false)) return false;
          if (!depart(stand, target, beginning, turns, true)) return false;
        }
      }
    }
    return true;
  });
  if (findings.failed("departures")) return;  // what goes on holds it, too
  stand.unmount();
  give_up(stand, served->generation());
}

void check_swap(const Subject& subject, Findings& findings) {
  const auto served = Served::create(subject, "swap", findings);
  if (served == nullptr) return;
  Stand& stand = served->stand();
  const auto wanted = served->longest();
  if (!wanted) return;
  stand.doing("GET " + wanted->target + " is answered during a swap");
  const auto client = stand.connect(true);
  if (client == nullptr) return;
  client->slow_down(1024);
  client->send("GET " + wanted->target + " HTTP/1.1\r\nHost: check\r\nConnection: close\r\n\r\n");
  stand.run(client.get(), [&] { return client->received() > 0 || client->ended(); });

  auto next = stand.load(1);
  if (!next) {
    return findings.fail("swap",
                         "a second generation cannot be made beside the first: " + next.error().message);
  }
  stand.mount(*next);
  stand.retire(served->generation());
  served->generation().handler = InstanceRef();
  served->generation().shared = InstanceRef();
  stand.ask("GET", wanted->target);

  stand.doing("GET " + wanted->target + " is answered during a swap");
  client->hurry();
  const bool endless = stand.await(*client, wanted->target);
  if (!endless && stand.judge(*client, "swap") && wanted->stable &&
      client->answers().front() != wanted->answer) {
    findings.fail("swap",
                  "an answer that began before a swap ends with other content: retire() must keep what "
                  "running answers need");
  }
  client->leave(endless);
  if (!give_up(stand, served->generation())) return;
  stand.ask("GET", wanted->target);
  stand.unmount();
  give_up(stand, *next);
}

}  // namespace sluice::cli
