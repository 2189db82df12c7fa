// What the tests of the filter access share: hashes, requests with credentials, and the filter in a rig. One
// thread.
#pragma once

#include <cstdint>
#include <map>
#include <string>
#include <string_view>
#include <utility>

#include "support/module_rig.h"
#include "support/temp_folder.h"

namespace sluice::test::access {

using Options = std::map<std::string, std::string>;

// Hashes of "sesame" that take little time.
inline const std::string kBcrypt = "$2y$04$KBCwKxOzLha2MUDgW0PjXexpfJpcmyhZB2fRGE3GraFO6JmGHqpYq";
inline const std::string kSha256 =
    "$5$rounds=1000$k2XAnEHBqQ1Ct2aM$DAJ/4yEvfE872FdZVXANnEmC54qPUVUnIlcTaOl9Ls3";
inline const std::string kSha512 =
    "$6$rounds=1000$k2XAnEHBqQ1Ct2aM$Sze5pbE8whvRNZXppz6OshY8HaDqmmiQL3lHtqdKuLustgt82qHFEfdZg3ps/"
    "JfAJcMeuSwYcYeHRJrSNzt8j0";
inline const std::string kYescrypt =
    "$y$j75$k2XAnEHBqQ1Ct2aMXFKNa/$dkx8GfQCUOOKDu2gp4RtWaqkzby8USvE.MwG9MqcU59";

inline std::string base64(std::string_view bytes) {
  constexpr char kDigits[] = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";
  std::string text;
  for (std::size_t i = 0; i < bytes.size(); i += 3) {
    unsigned bits = 0;
    for (std::size_t j = 0; j < 3; ++j)
      bits = bits << 8 | (i + j < bytes.size() ? static_cast<unsigned char>(bytes[i + j]) : 0U);
    for (unsigned j = 0; j < 4; ++j) text += i + j > bytes.size() ? '=' : kDigits[bits >> (18 - 6 * j) & 63];
  }
  return text;
}

inline RequestPlan from(const std::string& client) {
  RequestPlan plan;
  plan.client = client;
  plan.behind.content = "content";
  return plan;
}

inline RequestPlan by(const std::string& name_and_password) {
  RequestPlan plan = from("192.0.2.1:49152");
  plan.fields = {{"Authorization", "Basic " + base64(name_and_password)}};
  return plan;
}

struct AccessFixture {
  TempFolder folder;
  ModuleRig rig{SLUICE_TEST_PLUGINS "/access.so"};

  std::string file() const { return folder / "users"; }
  std::size_t mount(const Options& options) { return rig.mount("", options); }
  std::size_t mount_users(const std::string& lines, Options options = {}) {
    folder.write("users", lines);
    options["users"] = file();
    return mount(options);
  }
  std::uint32_t code(RequestPlan plan, std::size_t filter = 0) {
    return rig.run(std::move(plan), filter)->code;
  }
  std::string refusal(const Options& options) {
    try {
      mount(options);
    } catch (const std::exception& error) {
      return error.what();
    }
    return "";
  }
  std::string file_refusal(const std::string& lines) {
    folder.write("users", lines);
    return refusal({{"users", file()}});
  }
  bool has_logged(const std::string& text) {
    return rig.server.run_until([&] {
      for (const auto& [level, line] : rig.server.logs) {
        if (line.find(text) != std::string::npos) return true;
      }
      return false;
    });
  }
};

}  // namespace sluice::test::access
