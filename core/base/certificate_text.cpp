#include "base/certificate_text.h"

#include <openssl/evp.h>

#include "base/openssl_owned.h"

namespace sluice {
namespace {

std::string name_text(const X509_NAME* name) {
  const OpensslOwned<BIO> out(BIO_new(BIO_s_mem()));
  if (out == nullptr) return "";
  if (X509_NAME_print_ex(out.get(), name, 0, XN_FLAG_RFC2253) < 0) return "";
  char* text = nullptr;
  const long size = BIO_get_mem_data(out.get(), &text);
  return {text, static_cast<std::size_t>(size)};
}

}  // namespace

std::string fingerprint_of(const X509& certificate) {
  unsigned char digest[EVP_MAX_MD_SIZE];
  unsigned size = 0;
  if (X509_digest(&certificate, EVP_sha256(), digest, &size) != 1) return "";
  std::string text;
  constexpr char kDigits[] = "0123456789ABCDEF";
  for (unsigned i = 0; i < size; ++i) {
    if (i > 0) text += ':';
    text += kDigits[digest[i] / 16];
    text += kDigits[digest[i] % 16];
  }
  return text;
}

std::string subject_of(const X509& certificate) {
  return name_text(X509_get_subject_name(&certificate));
}

std::string issuer_of(const X509& certificate) {
  return name_text(X509_get_issuer_name(&certificate));
}

}  // namespace sluice
