// Certificates with their private keys, as files hold them: read, but not understood. Reading keys may need
// root rights, so the supervisor does it; the workers parse what they are given.
#pragma once

#include <cstdint>
#include <memory>
#include <string>
#include <vector>

#include "base/error.h"
#include "base/secret_bytes.h"
#include "settings/site_settings.h"

namespace sluice {

struct CertificateFiles {
  std::string chain;  // or kSelfSigned
  std::string key;    // empty for kSelfSigned

  bool operator==(const CertificateFiles&) const = default;
};

struct Certificate {
  CertificateFiles files;
  std::string chain;                       // PEM: the certificate, then those that lead to a root
  std::shared_ptr<const SecretBytes> key;  // PEM
  std::int64_t renew_at_s = 0;             // of a self-signed one, in seconds since 1970
  std::vector<std::string> names = {};     // for which a self-signed one was made
};

// Reads a file of at most 1 MiB. `what` is the subject of error sentences, and `remedy` their end.
Result<SecretBytes> read_secret_file(const std::string& path, const std::string& what,
                                     const std::string& remedy);

// Reads both files, which are small. The error says what to do.
Result<Certificate> read_certificate(const CertificateFiles& files);

// A new key, and a certificate for it that it has signed itself. It is for these names, and for those that a
// browser on this machine uses.
Result<Certificate> make_self_signed(const std::vector<std::string>& names);

// SHA-256 of the first certificate of a chain, as browsers show it: "AB:CD:...". Empty when there is none.
std::string fingerprint_of(const std::string& chain);

}  // namespace sluice
