// Compressed files that browsers are known to refuse.
#include "common/files/coded_content.h"

#include <fcntl.h>

#include <catch2/catch.hpp>
#include <cstdlib>
#include <string>

#include "common/files/owned_fd.h"
#include "support/temp_folder.h"

using sluice::files::browsers_decode;
using sluice::files::Coding;
using sluice::files::OwnedFd;
using sluice::test::TempFolder;

namespace {

bool decoded(const std::string& content, Coding coding = Coding::zstd) {
  const TempFolder folder;
  folder.write("x", content);
  const OwnedFd fd(open((folder / "x").c_str(), O_RDONLY | O_CLOEXEC));
  return browsers_decode(fd.get(), content.size(), coding);
}

std::string little_endian(std::uint64_t number, std::size_t bytes) {
  std::string text;
  for (std::size_t i = 0; i < bytes; ++i) text += static_cast<char>(number >> (8 * i));
  return text;
}

const std::string kMagic("\x28\xB5\x2F\xFD");

std::string byte(unsigned value) {
  return std::string(1, static_cast<char>(value));
}
// A raw block.
std::string block(const std::string& content, bool last) {
  return little_endian(content.size() << 3 | (last ? 1 : 0), 3) + content;
}
std::string with_window(unsigned window_descriptor, const std::string& content = "x") {
  return kMagic + byte(0) + byte(window_descriptor) + block(content, true);
}
std::string skippable(const std::string& content, unsigned kind = 0) {
  return little_endian(0x184D2A50 + kind, 4) + little_endian(content.size(), 4) + content;
}

constexpr unsigned kEightMiB = 13 << 3;

}  // namespace

TEST_CASE("a zstd frame says which window it needs", "[coded_content]") {
  CHECK(decoded(with_window(0)));
  CHECK(decoded(with_window(kEightMiB)));
  CHECK_FALSE(decoded(with_window(kEightMiB + 1)));  // 9 MiB
  CHECK_FALSE(decoded(with_window(14 << 3)));
  CHECK_FALSE(decoded(with_window(0xFF)));
  // A frame with one segment: the window is as large as the content.
  const auto one_segment = [](unsigned size_flag, std::uint64_t size, std::size_t bytes) {
    return decoded(kMagic + byte(size_flag << 6 | 0x20) + little_endian(size, bytes) + block("x", true));
  };
  CHECK(one_segment(0, 255, 1));
  CHECK(one_segment(1, 65'535, 2));
  CHECK(one_segment(2, 8 << 20, 4));
  CHECK_FALSE(one_segment(2, (8 << 20) + 1, 4));
  CHECK(one_segment(3, 8 << 20, 8));
  CHECK_FALSE(one_segment(3, std::uint64_t{5} << 30, 8));
  CHECK_FALSE(one_segment(3, ~std::uint64_t{0}, 8));
  // Content that is longer than the window does not matter.
  CHECK(decoded(kMagic + byte(3 << 6) + byte(kEightMiB) + little_endian(std::uint64_t{5} << 30, 8) +
                block("x", true)));
}

TEST_CASE("a zstd frame that needs a dictionary is refused", "[coded_content]") {
  for (const unsigned flag : {1U, 2U, 3U}) {
    const std::size_t bytes = std::size_t{1} << (flag - 1);
    CAPTURE(bytes);
    CHECK_FALSE(decoded(kMagic + byte(flag) + byte(0) + little_endian(7, bytes) + block("x", true)));
    CHECK(decoded(kMagic + byte(flag) + byte(0) + little_endian(0, bytes) + block("x", true)));
  }
}

TEST_CASE("all frames of a zstd file are checked", "[coded_content]") {
  const std::string good = with_window(kEightMiB);
  const std::string bad = with_window(kEightMiB + 8);
  CHECK(decoded(good + good));
  CHECK_FALSE(decoded(good + bad));
  CHECK_FALSE(decoded(bad + good));
  CHECK(decoded(skippable("anything") + good));
  CHECK_FALSE(decoded(skippable("anything", 15) + bad));
  CHECK_FALSE(decoded(skippable("") + skippable(bad) + bad));
  CHECK(decoded(skippable(bad) + good));
  CHECK_FALSE(decoded(good + skippable("between") + bad));
  // Several blocks, one of them repeated, and a checksum behind them.
  const std::string many = kMagic + byte(4) + byte(0) + block(std::string(100'000, 'a'), false) +
                           little_endian(5000 << 3 | 2, 3) + "r" + block(std::string(70'000, 'b'), true) +
                           "sum!";
  CHECK(decoded(many + good));
  CHECK_FALSE(decoded(many + bad));
  // Far from the beginning, and in the middle of one read.
  std::string thousands;
  for (int i = 0; i < 5000; ++i) thousands += block("abc", false);
  CHECK_FALSE(decoded(kMagic + byte(0) + byte(0) + thousands + block("", true) + bad));
}

TEST_CASE("broken files and other formats are not judged", "[coded_content]") {
  for (const std::string& content :
       {std::string(), std::string("as zstd"), kMagic, kMagic.substr(0, 3), kMagic + byte(0),
        with_window(0).substr(0, 8), skippable("abc").substr(0, 10), with_window(0) + "more",
        kMagic + byte(0) + byte(0) + byte(7) + "xx"}) {
    CAPTURE(content);
    CHECK(decoded(content));
  }
  for (std::size_t size = 0; size < 20; ++size)
    CHECK(decoded((with_window(0) + with_window(0)).substr(0, size)));
}

TEST_CASE("brotli with a large window is refused", "[coded_content]") {
  CHECK(decoded("in br", Coding::br));
  CHECK(decoded("", Coding::br));
  CHECK(decoded("\x0b\x02\x80", Coding::br));
  CHECK_FALSE(decoded("\x11\x1e", Coding::br));
  CHECK(decoded("\x11\x1e", Coding::gzip));
}

TEST_CASE("the tools' files are judged as browsers judge them", "[coded_content]") {
  if (std::system("(command -v zstd && command -v brotli) >/dev/null 2>&1") != 0) {
    WARN("zstd and brotli are not installed");
    return;
  }
  const TempFolder folder;
  // Larger than 8 MiB, or no window would have to be that large.
  folder.write("x", sluice::test::pattern(64 * 1024) + std::string((9 << 20), 'x'));
  const auto judged = [&folder](const std::string& command, const std::string& name, Coding coding) {
    REQUIRE(std::system(("cd " + folder.path + " && " + command).c_str()) == 0);
    const OwnedFd fd(open((folder / name).c_str(), O_RDONLY | O_CLOEXEC));
    struct stat status {};
    REQUIRE(fstat(fd.get(), &status) == 0);
    return browsers_decode(fd.get(), static_cast<std::uint64_t>(status.st_size), coding);
  };
  CHECK(judged("zstd -q -19 -f x", "x.zst", Coding::zstd));
  CHECK(judged("zstd -q -3 -f x", "x.zst", Coding::zstd));
  CHECK_FALSE(judged("zstd -q --long=27 -f x", "x.zst", Coding::zstd));
  CHECK_FALSE(judged("zstd -q -3 < x > y && zstd -q --ultra -22 -f x && cat y x.zst > z", "z", Coding::zstd));
  CHECK(judged("brotli -q 5 -f x", "x.br", Coding::br));
  CHECK_FALSE(judged("brotli -q 5 --large_window=26 -f x", "x.br", Coding::br));
}
