// Plays the tables to running servers, and writes how each differs from them, as Markdown:
//
//     conformance [--http2] ROOT NAME=PORT...
//
// ROOT is the empty folder that all of them serve. With --http2 the tables are those of HTTP/2, over TLS.
// `conformance --mounts MODULE` writes the arguments to start sluice with, one a line.
#include <array>
#include <csignal>
#include <cstdio>
#include <cstdlib>
#include <exception>
#include <functional>
#include <iostream>
#include <string>
#include <vector>

#include "conformance/http2_player.h"
#include "conformance/player.h"

using namespace sluice::conformance;

namespace {

constexpr int kTimeoutMs = 3'000;
constexpr std::size_t kLevels = 3;
using Counts = std::array<unsigned, kLevels>;

struct Server {
  std::string name;
  Player player;
  std::uint16_t port;
  Counts failed{};
};

// A case of either protocol.
struct Row {
  Level level;
  std::string rule;
  std::string name;
  std::function<std::string(Server&)> play;  // says what is wrong
};

// A pipe or a line end would end the cell.
std::string cell(std::string text) {
  for (std::size_t at = 0; (at = text.find('|', at)) != std::string::npos; at += 2) text.insert(at, "\\");
  for (char& byte : text) {
    if (static_cast<unsigned char>(byte) < 0x20) byte = ' ';
  }
  return text;
}

const char* level_name(Level level) {
  constexpr std::array<const char*, kLevels> kNames = {"must", "should", "ours"};
  return kNames[static_cast<std::size_t>(level)];
}

std::string play(Player& player, const Case& tried) {
  const Played alone = player.play(tried, Delivery::whole);
  if (!alone.wrong.empty()) return alone.wrong;
  return player.play(tried, Delivery::pipelined).wrong;
}

std::vector<Row> rows_of(const Table& table) {
  std::vector<Row> rows;
  for (const Case& tried : table.cases) {
    rows.push_back(
        {tried.level, tried.rule, tried.name, [tried](Server& server) { return play(server.player, tried); }});
  }
  return rows;
}

std::vector<Row> rows_of(const Http2Table& table) {
  std::vector<Row> rows;
  for (const Http2Case& tried : table.cases) {
    rows.push_back({tried.level, tried.rule, tried.name, [tried](Server& server) {
                      return play_http2(tried, {server.port, ""}, true, kTimeoutMs);
                    }});
  }
  return rows;
}

// Returns the number of cases of each level.
Counts play_table(const std::string& name, const std::vector<Row>& rows, std::vector<Server>& servers) {
  Counts played{};
  std::cout << "\n## " << name << "\n\n| | rule | case |";
  for (const Server& server : servers) std::cout << " " << server.name << " |";
  std::cout << "\n|---|---|---|";
  for (std::size_t i = 0; i < servers.size(); ++i) std::cout << "---|";
  std::cout << "\n";
  for (const Row& tried : rows) {
    const auto level = static_cast<std::size_t>(tried.level);
    ++played[level];
    std::string line;
    bool differs = false;
    for (Server& server : servers) {
      const std::string wrong = tried.play(server);
      server.failed[level] += wrong.empty() ? 0 : 1;
      differs = differs || !wrong.empty();
      line += (wrong.empty() ? "as expected" : "**" + cell(wrong) + "**") + " | ";
    }
    if (differs) {
      std::cout << "| " << level_name(tried.level) << " | " << tried.rule << " | " << cell(tried.name) << " | "
                << line << "\n";
    }
  }
  return played;
}

template <typename Tables>
Counts play_all(const Tables& tables, std::vector<Server>& servers) {
  Counts all{};
  for (const auto& table : tables) {
    const Counts played = play_table(table.name, rows_of(table), servers);
    for (std::size_t i = 0; i < kLevels; ++i) all[i] += played[i];
  }
  return all;
}

void write_totals(const std::vector<Server>& servers, const Counts& all) {
  std::cout << "\n## Cases that failed\n\n| server | must | should | ours |\n|---|---|---|---|\n";
  for (const Server& server : servers) {
    std::cout << "| " << server.name << " |";
    for (std::size_t i = 0; i < kLevels; ++i) std::cout << " " << server.failed[i] << " of " << all[i] << " |";
    std::cout << "\n";
  }
}

int run(std::vector<std::string> arguments) {
  const bool http2 = !arguments.empty() && arguments[0] == "--http2";
  if (http2) arguments.erase(arguments.begin());
  if (arguments.size() < 2) {
    std::cerr << "usage: conformance [--http2] ROOT NAME=PORT... | --mounts MODULE\n";
    return 1;
  }
  if (arguments[0] == "--mounts") {
    for (const std::string& argument : sluice_mounts(arguments[1])) std::cout << argument << "\n";
    return 0;
  }
  const Site site(arguments[0]);
  std::vector<Server> servers;
  for (std::size_t i = 1; i < arguments.size(); ++i) {
    const std::size_t equals = arguments[i].find('=');
    const auto port = static_cast<std::uint16_t>(std::atoi(arguments[i].c_str() + equals + 1));
    servers.push_back({arguments[i].substr(0, equals), Player({port, ""}, site, kTimeoutMs), port});
  }
  const Counts all = http2 ? play_all(all_http2_tables(), servers) : play_all(all_tables(), servers);
  write_totals(servers, all);
  return 0;
}

}  // namespace

int main(int count, char** arguments) {
  std::signal(SIGPIPE, SIG_IGN);  // OpenSSL writes to connections that a server has closed
  try {
    return run({arguments + 1, arguments + count});
  } catch (const std::exception& error) {
    std::cerr << "conformance: " << error.what() << "\n";
    return 1;
  }
}
