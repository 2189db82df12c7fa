// Plays the table to running servers, and writes how each differs from it, as Markdown:
//
//     conformance ROOT NAME=PORT...
//
// ROOT is the empty folder that all of them serve. `conformance --mounts MODULE` writes the arguments to
// start sluice with, one a line.
#include <array>
#include <cstdio>
#include <cstdlib>
#include <exception>
#include <iostream>

#include "conformance/player.h"

using namespace sluice::conformance;

namespace {

constexpr int kTimeoutMs = 3'000;
constexpr std::size_t kLevels = 3;

struct Server {
  std::string name;
  Player player;
  std::array<unsigned, kLevels> failed{};
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

// Returns the number of cases of each level.
std::array<unsigned, kLevels> play_table(const Table& table, std::vector<Server>& servers) {
  std::array<unsigned, kLevels> played{};
  std::cout << "\n## " << table.name << "\n\n| | rule | case |";
  for (const Server& server : servers) std::cout << " " << server.name << " |";
  std::cout << "\n|---|---|---|" << [&] {
    std::string dashes;
    for (std::size_t i = 0; i < servers.size(); ++i) dashes += "---|";
    return dashes;
  }() << "\n";
  for (const Case& tried : table.cases) {
    const auto level = static_cast<std::size_t>(tried.level);
    ++played[level];
    std::string row;
    bool differs = false;
    for (Server& server : servers) {
      const std::string wrong = play(server.player, tried);
      server.failed[level] += wrong.empty() ? 0 : 1;
      differs = differs || !wrong.empty();
      row += (wrong.empty() ? "as expected" : "**" + cell(wrong) + "**") + " | ";
    }
    if (differs) {
      std::cout << "| " << level_name(tried.level) << " | " << tried.rule << " | " << cell(tried.name) << " | "
                << row << "\n";
    }
  }
  return played;
}

int run(int count, char** arguments) {
  if (count < 3) {
    std::cerr << "usage: conformance ROOT NAME=PORT... | --mounts MODULE\n";
    return 1;
  }
  if (std::string(arguments[1]) == "--mounts") {
    for (const std::string& argument : sluice_mounts(arguments[2])) std::cout << argument << "\n";
    return 0;
  }
  const Site site(arguments[1]);
  std::vector<Server> servers;
  for (int i = 2; i < count; ++i) {
    const std::string text(arguments[i]);
    const std::size_t equals = text.find('=');
    const auto port = static_cast<std::uint16_t>(std::atoi(text.c_str() + equals + 1));
    servers.push_back({text.substr(0, equals), Player({port, ""}, site, kTimeoutMs)});
  }
  std::array<unsigned, kLevels> all{};
  for (const Table& table : all_tables()) {
    const auto played = play_table(table, servers);
    for (std::size_t i = 0; i < kLevels; ++i) all[i] += played[i];
  }
  std::cout << "\n## Cases that failed\n\n| server | must | should | ours |\n|---|---|---|---|\n";
  for (const Server& server : servers) {
    std::cout << "| " << server.name << " |";
    for (std::size_t i = 0; i < kLevels; ++i) std::cout << " " << server.failed[i] << " of " << all[i] << " |";
    std::cout << "\n";
  }
  return 0;
}

}  // namespace

int main(int count, char** arguments) {
  try {
    return run(count, arguments);
  } catch (const std::exception& error) {
    std::cerr << "conformance: " << error.what() << "\n";
    return 1;
  }
}
