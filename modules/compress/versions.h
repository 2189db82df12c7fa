// The last versions of contents, by their SHA-256, which later versions are coded with (RFC 9842). They lie
// in a share of the variants, which bound them and let the least used ones go. Loop thread.
//
// A group is what DictionaryTerms has: versions of one thing.
#pragma once

#include <cstddef>
#include <cstdint>
#include <memory>
#include <string>
#include <string_view>
#include <utility>

#include "compress/variants.h"

namespace sluice::compress {

// 32 bytes. On any thread.
std::string sha256_of(std::string_view content);

// Under which content lies that is coded with a dictionary; both by their SHA-256.
std::string delta_key(std::string_view dictionary, std::string_view content);

class Versions {
 public:
  static constexpr std::size_t kGroupMax = 3;            // versions of a group
  static constexpr std::uint64_t kContentMax = 4 << 20;  // of one version

  explicit Versions(std::shared_ptr<Variants> variants) : variants_(std::move(variants)) {}

  // Whether content of this size may be kept: one takes at most an eighth of what coded content may, so that
  // two have room.
  bool takes(std::uint64_t size) const;
  // Null if it is not kept.
  Variants::Variant find(std::string_view group, std::string_view hash);
  // The text has the hash. It is the group's latest version from now on.
  void keep(std::string_view group, const std::string& hash, Variants::Variant text);
  // That of the content, which is a CodedHead::key. Null if it is not known.
  Variants::Variant hash_of(std::string_view content) { return variants_->find(hash_key(content)); }
  void know_hash(std::string_view content, const std::string& hash);
  // This version is being sent, in whatever coding: it is the group's latest one from now on, and others make
  // room before it. False if it is not kept.
  bool touch(std::string_view group, const std::string& hash);

 private:
  static std::string hash_key(std::string_view content);

  const std::shared_ptr<Variants> variants_;
};

}  // namespace sluice::compress
