// The filter compress before a script of which clients have kept versions (RFC 9842).
#pragma once

#include <catch2/catch.hpp>
#include <random>
#include <string>

#include "support/dcz.h"
#include "support/module_rig.h"

namespace sluice::test {

inline const std::string kBrowser = "gzip, deflate, br, zstd";
inline const std::string kWithDictionary = kBrowser + ", dcb, dcz";

// A script of which each version differs in a few places.
inline std::string script_of(unsigned version, std::size_t size = 50'000) {
  std::mt19937 random(1);
  std::string script;
  while (script.size() < size) {
    script += "let v" + std::to_string(random() % 100'000) + " = " + std::to_string(random() % 3000) + ";\n";
    if (random() % 500 == 0) script += "// version " + std::to_string(version) + "\n";
  }
  script.resize(size);
  return script;
}

inline RequestPlan plan_of(unsigned version, const std::string& target = "/m/app.js") {
  RequestPlan plan;
  plan.target = target;
  plan.path = target.substr(3, target.find('?') - 3);
  plan.scheme = "https";
  plan.fields = {{"Accept-Encoding", kBrowser}};
  plan.behind.lines = {{"Content-Type", "text/javascript"},
                       {"ETag", "\"" + std::to_string(version) + "\""},
                       {"Cache-Control", "max-age=60"}};
  plan.behind.content = script_of(version);
  return plan;
}

// From a client that has kept this content.
inline RequestPlan with(RequestPlan plan, const std::string& dictionary) {
  plan.fields = {{"Accept-Encoding", kWithDictionary}, {"Available-Dictionary", dictionary_name(dictionary)}};
  return plan;
}

struct DictionaryFixture {
  ModuleRig rig{SLUICE_TEST_PLUGINS "/compress.so"};
  std::size_t filter = rig.mount("", {{"variants_max", "1M"}});

  // Waits until what it has begun to make is made.
  Answer answer(const RequestPlan& plan) {
    Answer answered = rig.run(plan, filter);
    CHECK(rig.server.run_until([&] { return rig.server.offload_idle(); }));
    CHECK(answered->complete);
    return answered;
  }
  std::string coding(const RequestPlan& plan) { return answer(plan)->line("Content-Encoding"); }
  // What a client with this dictionary gets in the end.
  std::string coding_at_last(const RequestPlan& plan) {
    answer(plan);
    return coding(plan);
  }
  // A client gets version 1, and then asks for version 2 until nothing more is made for it.
  std::string coding_of_change(const RequestPlan& first, const RequestPlan& second) {
    answer(first);
    return coding_at_last(with(second, first.behind.content));
  }
};

}  // namespace sluice::test
