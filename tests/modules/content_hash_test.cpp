// Tags made from content: equal for equal bytes, never made from a file that changes, and cached within a
// limit.
#include "common/files/content_hash.h"

#define XXH_INLINE_ALL
#include <xxhash.h>

#include <catch2/catch.hpp>
#include <chrono>
#include <cstdio>
#include <thread>

#include "common/files/owned_fd.h"
#include "support/temp_folder.h"

using sluice::files::ContentHash;
using sluice::files::ContentHashCache;
using sluice::files::FileFacts;
using sluice::files::hash_content;
using sluice::files::HashEnd;
using sluice::files::OwnedFd;
using sluice::files::read_facts;
using sluice::files::wall_seconds;
using sluice::test::pattern;
using sluice::test::TempFolder;

namespace {

// A ctime cannot be set, so the tests pretend that it is later.
std::int64_t later() {
  return wall_seconds() + 60;
}

struct File {
  File(const TempFolder& folder, const std::string& name)
      : fd(open((folder / name).c_str(), O_RDONLY | O_CLOEXEC)) {
    REQUIRE(read_facts(fd.get(), facts) == 0);
  }
  ContentHash hash() const { return hash_content(fd.get(), facts, later()); }

  OwnedFd fd;
  FileFacts facts;
};

std::string tag(const TempFolder& folder, std::string_view content) {
  folder.write("x", content);
  const ContentHash made = File(folder, "x").hash();
  CHECK(made.end == HashEnd::hashed);
  return made.etag;
}

// What the library makes of the content in one call.
std::string one_call_tag(const std::string& content) {
  XXH128_canonical_t bytes;
  XXH128_canonicalFromHash(&bytes, XXH3_128bits(content.data(), content.size()));
  std::string tag = "\"";
  char digits[3];
  for (const unsigned char byte : bytes.digest) {
    std::snprintf(digits, sizeof(digits), "%02x", byte);
    tag += digits;
  }
  return tag + "\"";
}

}  // namespace

TEST_CASE("a tag is what xxh128sum says", "[content_hash]") {
  const TempFolder folder;
  CHECK(tag(folder, "") == "\"99aa06d3014798d86001c324468d497f\"");
  CHECK(tag(folder, "abc") == "\"06b05ab6733a618578af5f94892f3950\"");
  CHECK(tag(folder, "abcdbcdecdefdefgefghfghighijhijkijkljklmklmnlmnomnopnopq") ==
        "\"3d62d22a5169b016c0d894fd4828a1a7\"");
  CHECK(tag(folder, std::string(1'000, 'a')) == "\"b01da365eddaa29cb3e7af627147db7c\"");
  CHECK(tag(folder, std::string(1'000'000, 'a')) == "\"a545df8e384a9579b1fd6fae5285c4eb\"");
}

TEST_CASE("a file that is read in pieces has the tag of the whole, at every length around their edges",
          "[content_hash]") {
  const TempFolder folder;
  std::vector<std::size_t> sizes;
  for (std::size_t size = 0; size <= 260; ++size) sizes.push_back(size);
  for (const std::size_t edge : {1024u, 128u * 1024, 2u * 128 * 1024, 3'000'000u}) {
    for (std::size_t size = edge - 2; size <= edge + 2; ++size) sizes.push_back(size);
  }
  for (const std::size_t size : sizes) {
    CAPTURE(size);
    const std::string content = pattern(size, size);
    CHECK(tag(folder, content) == one_call_tag(content));
  }
}

TEST_CASE("one bit, or one byte less, makes another tag; the same bytes elsewhere do not", "[content_hash]") {
  const TempFolder folder;
  std::string content = pattern(300'000);
  const std::string first = tag(folder, content);
  CHECK(tag(folder, content) == first);
  content[299'999] = static_cast<char>(content[299'999] ^ 1);
  CHECK(tag(folder, content) != first);
  CHECK(tag(folder, pattern(300'000).substr(0, 299'999)) != first);
}

TEST_CASE("the descriptor's offset is left alone", "[content_hash]") {
  const TempFolder folder;
  folder.write("x", "abc");
  const File file(folder, "x");
  lseek(file.fd.get(), 2, SEEK_SET);
  CHECK(file.hash().etag.starts_with("\"06b05ab6"));
  CHECK(lseek(file.fd.get(), 0, SEEK_CUR) == 2);
}

TEST_CASE("a file that has just changed is too young for a tag", "[content_hash]") {
  const TempFolder folder;
  folder.write("x", "abc");
  folder.age("x");  // only the mtime, which proves nothing
  const File file(folder, "x");
  const std::int64_t changed = file.facts.ctime_s;
  for (const auto& [now, end] :
       {std::pair{changed - 100, HashEnd::young}, std::pair{changed, HashEnd::young},
        std::pair{changed + 2, HashEnd::young}, std::pair{changed + 3, HashEnd::hashed}}) {
    CAPTURE(now - changed);
    const ContentHash made = hash_content(file.fd.get(), file.facts, now);
    CHECK(made.end == end);
    CHECK(made.etag.empty() == (end != HashEnd::hashed));
  }
}

TEST_CASE("a file that differs from its facts gets no tag", "[content_hash]") {
  const TempFolder folder;
  folder.write("x", "abc");
  const File file(folder, "x");
  const auto end_with = [&](auto change) {
    FileFacts said = file.facts;
    change(said);
    const ContentHash made = hash_content(file.fd.get(), said, later());
    CHECK(made.etag.empty() == (made.end != HashEnd::hashed));
    return made.end;
  };
  CHECK(end_with([](FileFacts&) {}) == HashEnd::hashed);
  CHECK(end_with([](FileFacts& said) { said.size += 1; }) == HashEnd::changed);
  CHECK(end_with([](FileFacts& said) { said.mtime_ns ^= 1; }) == HashEnd::changed);
  CHECK(end_with([](FileFacts& said) { said.ctime_ns ^= 1; }) == HashEnd::changed);
  CHECK(end_with([](FileFacts& said) { said.mode = S_IFDIR; }) == HashEnd::failed);
  CHECK(hash_content(-1, file.facts, later()).end == HashEnd::changed);
}

TEST_CASE("a file that changes while it is read gets no tag", "[content_hash]") {
  const TempFolder folder;
  constexpr off_t kSize = 128 << 20;  // reading takes several times as long as the change waits
  const auto end_when = [&](auto change) {
    HashEnd end = HashEnd::hashed;
    // Tries again if the machine was too busy to make the change in time.
    for (int i = 0; i < 5 && end == HashEnd::hashed; ++i) {
      folder.write("x", "");
      REQUIRE(truncate((folder / "x").c_str(), kSize) == 0);
      const File file(folder, "x");
      std::thread writer([&] {
        std::this_thread::sleep_for(std::chrono::milliseconds(3));
        change();
      });
      const ContentHash made = file.hash();
      writer.join();
      CHECK(made.etag.empty() == (made.end != HashEnd::hashed));
      end = made.end;
    }
    return end;
  };
  CHECK(end_when([] {}) == HashEnd::hashed);
  CHECK(end_when([&] { folder.overwrite("x", "y", 0); }) == HashEnd::changed);  // in a part already read
  CHECK(end_when([&] { folder.overwrite("x", "y", kSize - 1); }) == HashEnd::changed);
  CHECK(end_when([&] { folder.overwrite("x", "y", kSize); }) == HashEnd::changed);
  CHECK(end_when([&] { static_cast<void>(!truncate((folder / "x").c_str(), 10)); }) == HashEnd::changed);
}

TEST_CASE("hashing stops when asked, and fails where nothing can be read", "[content_hash]") {
  const TempFolder folder;
  folder.write("x", "abc");
  const File file(folder, "x");
  std::stop_source stop;
  stop.request_stop();
  CHECK(hash_content(file.fd.get(), file.facts, later(), stop.get_token()).end == HashEnd::stopped);

  const OwnedFd write_only(open((folder / "x").c_str(), O_WRONLY | O_CLOEXEC));
  CHECK(hash_content(write_only.get(), file.facts, later()).end == HashEnd::failed);
  const OwnedFd directory(open(folder.path.c_str(), O_RDONLY | O_CLOEXEC));
  FileFacts facts;
  REQUIRE(read_facts(directory.get(), facts) == 0);
  CHECK(hash_content(directory.get(), facts, later()).end == HashEnd::failed);
}

TEST_CASE("the cache tells files apart by every fact that shows a change", "[content_hash]") {
  FileFacts facts;
  facts.size = 3;
  ContentHashCache cache(10);
  CHECK(cache.find(facts) == nullptr);
  cache.insert(facts, "\"a\"");
  REQUIRE(cache.find(facts) != nullptr);
  CHECK(*cache.find(facts) == "\"a\"");

  std::vector<FileFacts> others(7, facts);
  others[0].device = 1;
  others[1].inode = 1;
  others[2].size = 4;
  others[3].mtime_s = 1;
  others[4].mtime_ns = 1;
  others[5].ctime_s = 1;
  others[6].ctime_ns = 1;
  for (const FileFacts& other : others) CHECK(cache.find(other) == nullptr);

  FileFacts same = facts;
  same.mode = 0600;
  same.links = 2;
  CHECK(cache.find(same) != nullptr);
  cache.insert(facts, "\"b\"");
  CHECK(*cache.find(facts) == "\"b\"");
  CHECK(cache.size() == 1);
}

TEST_CASE("the cache keeps what was used last, within its limit", "[content_hash]") {
  std::vector<FileFacts> files(5);
  for (std::size_t i = 0; i < files.size(); ++i) files[i].inode = i;
  ContentHashCache cache(3);
  for (std::size_t i = 0; i < 3; ++i) cache.insert(files[i], std::to_string(i));
  CHECK(cache.find(files[0]) != nullptr);  // so 1 was not used for the longest time
  cache.insert(files[3], "3");
  CHECK(cache.size() == 3);
  CHECK(cache.find(files[1]) == nullptr);
  cache.insert(files[2], "2");  // an insert counts as a use
  cache.insert(files[4], "4");
  CHECK(cache.find(files[0]) == nullptr);
  for (const std::size_t kept : {2U, 3U, 4U}) {
    CAPTURE(kept);
    REQUIRE(cache.find(files[kept]) != nullptr);
    CHECK(*cache.find(files[kept]) == std::to_string(kept));
  }
  ContentHashCache none(0);
  none.insert(files[0], "0");
  CHECK(none.size() == 0);
  CHECK(none.find(files[0]) == nullptr);
}
