// The contents and validators that the cache of open files keeps.
#include "modules/cache_fixture.h"

#include <filesystem>
#include <fstream>
#include <stdexcept>
#include <vector>

using namespace sluice::files;
using namespace sluice::files::test;
using Fixture = CacheFixture;

namespace {

// The process' memory that is not mapped from a file.
std::size_t anonymous_bytes() {
  std::ifstream status("/proc/self/status");
  for (std::string line; std::getline(status, line);) {
    if (line.starts_with("RssAnon:")) return std::stoul(line.substr(8)) * 1024;
  }
  throw std::runtime_error("no RssAnon in /proc/self/status");
}

std::string line(const FileRef& file, std::string_view name) {
  for (const auto& [key, value] : sluice::test::FakeFieldBlock::of(file->fields()).lines) {
    if (key == name) return value;
  }
  return {};
}

}  // namespace

TEST_CASE_METHOD(Fixture, "contents are kept as long as there is room for them", "[cache]") {
  const auto shared = std::make_shared<OpenFilesState>();
  shared->content_room = 10;
  const auto make = [&](const std::string& name) {
    OwnedFd fd(open((folder / name).c_str(), O_RDONLY | O_CLOEXEC));
    FileFacts facts;
    REQUIRE(read_facts(fd.get(), facts) == 0);
    return OpenFile::make(host, shared, std::move(fd), facts, name, "x/y");
  };
  folder.write("a", "eight aa");
  folder.write("b", "eight bb");
  folder.wait_until_older("b", kYoungSeconds);  // young files' content is not kept
  FileRef first = make("a");
  const FileRef second = make("b");
  CHECK(std::string_view(*first->content(100)) == "eight aa");
  CHECK(shared->content_room == 2);
  CHECK(std::string_view(*second->content(100)) == "eight bb");
  CHECK(shared->content_room == 2);
  first.reset();
  CHECK(shared->content_room == 10);
  CHECK(std::string_view(*second->content(100)) == "eight bb");
  CHECK(shared->content_room == 2);
}

// ThreadSanitizer uses several times the memory.
#ifdef __SANITIZE_THREAD__
constexpr std::size_t kMemoryPerByte = 6;
#else
constexpr std::size_t kMemoryPerByte = 1;
#endif

TEST_CASE_METHOD(Fixture, "contents without room share one buffer", "[cache]") {
  constexpr int kFiles = 64;
  constexpr std::size_t kSize = 512 * 1024;
  const auto shared = std::make_shared<OpenFilesState>();
  shared->content_room = GENERATE(std::uint64_t{0}, std::uint64_t{2} * kSize);
  const std::uint64_t room = shared->content_room;
  std::vector<FileRef> files;
  for (int i = 0; i < kFiles; ++i) {
    const std::string name = std::to_string(i);
    folder.write(name, std::string(kSize, static_cast<char>('a' + i % 26)));
    if (i == kFiles - 1) folder.wait_until_older(name, kYoungSeconds);
  }
  const std::size_t before = anonymous_bytes();
  for (int i = 0; i < kFiles; ++i) {
    const std::string name = std::to_string(i);
    OwnedFd fd(open((folder / name).c_str(), O_RDONLY | O_CLOEXEC));
    FileFacts facts;
    REQUIRE(read_facts(fd.get(), facts) == 0);
    files.push_back(OpenFile::make(host, shared, std::move(fd), facts, name, "x/y"));
    const auto content = files.back()->content(kSize);
    REQUIRE(content.has_value());
    CHECK(std::string_view(*content).find_first_not_of(static_cast<char>('a' + i % 26)) == std::string::npos);
  }
  CHECK(shared->unkept.capacity() < 2 * kSize);
  CHECK(anonymous_bytes() < before + kMemoryPerByte * (room + 8 * kSize));
}

TEST_CASE_METHOD(Fixture, "young files have weak validators and no kept content", "[cache]") {
  folder.write("a.txt", "one");
  FileRef file = open_file("a.txt");
  CHECK(line(file, "Content-Type") == "text/plain; charset=utf-8");
  CHECK(line(file, "ETag").starts_with("W/\""));
  CHECK(line(file, "Last-Modified").ends_with(" GMT"));
  REQUIRE(file->content(100).has_value());
  CHECK(std::string_view(*file->content(100)) == "one");
  CHECK_FALSE(file->content(2).has_value());
  if (folder.make_cold("a.txt")) CHECK_FALSE(file->content(100).has_value());

  // The same file, old enough now: the tag is strong, and otherwise equal.
  const std::string weak = line(file, "ETag");
  folder.wait_until_older("a.txt", kYoungSeconds);
  file = find("a.txt");
  if (file == nullptr) file = open_file("a.txt");  // a mount elsewhere on the machine made it doubtful
  CHECK("W/" + line(file, "ETag") == weak);
  if (folder.make_cold("a.txt")) CHECK_FALSE(file->content(100).has_value());  // the disk is not waited for
  char text[3];
  REQUIRE(pread(file->fd(), text, 3, 0) == 3);
  REQUIRE(file->content(100).has_value());
  folder.make_cold("a.txt");
  REQUIRE(file->content(100).has_value());
  CHECK(std::string_view(*file->content(100)) == "one");
}

TEST_CASE_METHOD(Fixture, "kept content is dropped when the file changes", "[cache]") {
  folder.write("a.txt", "one");
  folder.wait_until_older("a.txt", kYoungSeconds);
  FileRef file = open_file("a.txt");
  CHECK(std::string_view(*file->content(100)) == "one");
  folder.write("a.txt", "two");
  CHECK(find("a.txt") == nullptr);
  file = open_file("a.txt");
  CHECK(std::string_view(*file->content(100)) == "two");
}
