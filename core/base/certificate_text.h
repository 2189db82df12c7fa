// What identifies a certificate, as text. Any thread.
#pragma once

#include <openssl/x509.h>

#include <string>

namespace sluice {

// SHA-256, as browsers show it: "1F:02:...". Empty if it cannot be computed.
std::string fingerprint_of(const X509& certificate);
// The subject's distinguished name as RFC 2253 writes it: "CN=Ada,O=Example". Other bytes than printable ASCII
// are escaped.
std::string subject_of(const X509& certificate);
// The same of who has signed it.
std::string issuer_of(const X509& certificate);

}  // namespace sluice
