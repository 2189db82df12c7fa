#include "compress/versions.h"

#include <openssl/sha.h>

#include <algorithm>

#include "compress/dictionary_fields.h"

namespace sluice::compress {
namespace {

// The keys of variants begin with the name of a coding.
std::string version_key(std::string_view group, std::string_view hash) {
  std::string key("=version");
  return key.append(1, '\0').append(hash).append(group);
}

// Under this one lie the hashes of a group's versions, the latest first.
std::string hashes_key(std::string_view group) {
  std::string key("=hashes");
  return key.append(1, '\0').append(group);
}

std::string_view front_hash(std::string_view hashes) {
  return hashes.substr(0, kHashSize);
}

}  // namespace

std::string sha256_of(std::string_view content) {
  std::string hash(kHashSize, '\0');
  ::SHA256(reinterpret_cast<const unsigned char*>(content.data()), content.size(),
           reinterpret_cast<unsigned char*>(hash.data()));
  return hash;
}

std::string delta_key(std::string_view dictionary, std::string_view content) {
  std::string key("dcz");
  return key.append(dictionary).append(content);
}

bool Versions::takes(std::uint64_t size) const {
  return size <= std::min(kContentMax, variants_->size_max() / 8);
}

Variants::Variant Versions::find(std::string_view group, std::string_view hash) {
  return variants_->find(version_key(group, hash));
}

std::string Versions::hash_key(std::string_view content) {
  std::string key("=hash");
  return key.append(1, '\0').append(content);
}

void Versions::know_hash(std::string_view content, const std::string& hash) {
  variants_->keep(hash_key(content), std::make_shared<const std::string>(hash), Variants::Share::dictionaries);
}

void Versions::keep(std::string_view group, const std::string& hash, Variants::Variant text) {
  const Variants::Variant before = variants_->find(hashes_key(group));
  std::string hashes = hash;
  std::size_t count = 1;
  for (std::string_view rest = before == nullptr ? std::string_view() : *before; !rest.empty();
       rest.remove_prefix(kHashSize)) {
    if (front_hash(rest) == hash) continue;
    if (++count <= kGroupMax) {
      hashes.append(front_hash(rest));
    } else {
      variants_->forget(version_key(group, front_hash(rest)));
    }
  }
  variants_->keep(hashes_key(group), std::make_shared<const std::string>(std::move(hashes)),
                  Variants::Share::dictionaries);
  variants_->keep(version_key(group, hash), std::move(text), Variants::Share::dictionaries);
}

bool Versions::touch(std::string_view group, const std::string& hash) {
  const Variants::Variant text = find(group, hash);
  if (text == nullptr) return false;
  const Variants::Variant hashes = variants_->find(hashes_key(group));
  if (hashes == nullptr || front_hash(*hashes) != hash) keep(group, hash, text);
  return true;
}

}  // namespace sluice::compress
