#include "spelling.h"

#include <algorithm>
#include <cstddef>
#include <iterator>
#include <numeric>

namespace sluice::cli {
namespace {

constexpr std::size_t kWordMax = 64;     // longer ones are not compared
constexpr std::size_t kDistanceMax = 3;  // and at most a third of the letters

// The Levenshtein distance, computed one row of the matrix at a time.
std::size_t distance(std::string_view a, std::string_view b) {
  std::vector<std::size_t> row(b.size() + 1);
  std::iota(row.begin(), row.end(), std::size_t{0});
  for (std::size_t i = 0; i < a.size(); ++i) {
    std::size_t diagonal = row[0];
    row[0] = i + 1;
    for (std::size_t j = 0; j < b.size(); ++j) {
      const std::size_t replaced = diagonal + (a[i] == b[j] ? 0 : 1);
      diagonal = row[j + 1];
      row[j + 1] = std::min({replaced, row[j] + 1, row[j + 1] + 1});
    }
  }
  return row.back();
}

struct Synonym {
  std::string_view word;
  std::string_view meant;
};
constexpr Synonym kSynonyms[] = {
    {"port", "listen"},
    {"p", "listen"},
    {"l", "listen"},
    {"host", "listen"},
    {"hostname", "listen"},
    {"bind", "listen"},
    {"b", "listen"},
    {"address", "listen"},
    {"addr", "listen"},
    {"ip", "listen"},
    {"socket", "listen"},
    {"interface", "listen"},
    {"r", "root"},
    {"d", "root"},
    {"dir", "root"},
    {"directory", "root"},
    {"docroot", "root"},
    {"document-root", "root"},
    {"folder", "root"},
    {"path", "root"},
    {"www", "root"},
    {"location", "mount"},
    {"route", "mount"},
    {"prefix", "mount"},
    {"alias", "mount"},
    {"handler", "mount"},
    {"modules", "plugins"},
    {"modules-dir", "plugins"},
    {"plugin", "plugins"},
    {"plugin-dir", "plugins"},
    {"load", "module"},
    {"w", "workers"},
    {"j", "workers"},
    {"threads", "workers"},
    {"processes", "workers"},
    {"worker-processes", "workers"},
    {"u", "user"},
    {"uid", "user"},
    {"c", "config"},
    {"f", "config"},
    {"file", "config"},
    {"conf", "config"},
    {"configuration", "config"},
    {"t", "check"},
    {"test", "check"},
    {"validate", "check"},
    {"dry-run", "check"},
    {"verbose", "log-level"},
    {"debug", "log-level"},
    {"quiet", "log-level"},
    {"q", "log-level"},
    {"timeout", "keepalive-timeout"},
    {"keepalive", "keepalive-timeout"},
    {"client-max-body-size", "body-max"},
    {"max-body-size", "body-max"},
    {"max-connections", "connections-max"},
    {"worker-connections", "connections-max"},
    {"server", "serve"},
    {"list", "modules"},
    {"stats", "status"},
    {"enable", "module"},
    {"disable", "module"},
    {"create", "new"},
    {"init", "new"},
    {"v", "version"},
    {"V", "version"},
};

}  // namespace

std::optional<std::string_view> nearest_word(std::string_view word,
                                             const std::vector<std::string_view>& known) {
  if (word.size() > kWordMax) return std::nullopt;
  std::size_t best = std::min(kDistanceMax, word.size() / 3) + 1;
  std::optional<std::string_view> found;
  for (const std::string_view candidate : known) {
    const std::size_t apart = distance(word, candidate);
    if (apart < best) {
      best = apart;
      found = candidate;
    }
  }
  return found;
}

std::optional<std::string_view> likely_word(std::string_view word, const std::vector<std::string_view>& known) {
  const auto synonym = std::find_if(std::begin(kSynonyms), std::end(kSynonyms), [&](const Synonym& each) {
    return each.word == word && std::find(known.begin(), known.end(), each.meant) != known.end();
  });
  if (synonym != std::end(kSynonyms)) return synonym->meant;
  return nearest_word(word, known);
}

}  // namespace sluice::cli
