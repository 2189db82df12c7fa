// Sites whose servers speak TLS: certificates in files, and the address.
#pragma once

#include <catch2/catch.hpp>
#include <string>
#include <vector>

#include "settings/certificate.h"
#include "support/server_process.h"

namespace sluice::test {

// A fresh certificate and its key in two files beside the document root: NAME.pem and NAME.key.
inline std::vector<std::string> write_certificate(const Site& site, const std::string& name,
                                                  std::string* fingerprint = nullptr) {
  const auto made = make_self_signed({});
  REQUIRE(made.has_value());
  if (fingerprint != nullptr) *fingerprint = fingerprint_of(made->chain);
  return {site.write_beside(name + ".pem", made->chain), site.write_beside(name + ".key", made->key->view())};
}

inline Endpoint https_endpoint(const ServerProcess& server) {
  const std::string text = server.out() + server.log();
  const std::string url = "https://127.0.0.1:";
  const std::size_t place = text.find(url);
  REQUIRE(place != std::string::npos);
  return {static_cast<std::uint16_t>(std::stoi(text.substr(place + url.size()))), ""};
}

}  // namespace sluice::test
