#include "common/files/residency.h"

#include <fcntl.h>
#include <sys/mman.h>

#include <algorithm>
#include <catch2/catch.hpp>
#include <chrono>
#include <thread>
#include <vector>

#include "common/files/owned_fd.h"
#include "support/temp_folder.h"

using namespace sluice::files;
using sluice::test::pattern;
using sluice::test::TempFolder;

TEST_CASE("the kernel begins to read on, up to the end", "[residency]") {
  constexpr std::uint64_t kSize = 6'000'000;
  TempFolder folder;
  folder.write("file", pattern(kSize));
  if (!folder.make_cold("file")) return;
  OwnedFd fd(open((folder / "file").c_str(), O_RDONLY | O_CLOEXEC));

  const std::uint64_t end = GENERATE(std::uint64_t{1'000'001}, std::uint64_t{6'000'000});
  ReadingOn reading;
  while (reading.begun < end) {
    const std::uint64_t before = reading.begun;
    read_on(fd.get(), reading, 256 * 1024, end);
    REQUIRE(reading.begun > before);
  }
  CHECK(reading.begun == end);

  // All of it comes without being used.
  void* mapped = mmap(nullptr, end, PROT_READ, MAP_SHARED, fd.get(), 0);
  REQUIRE(mapped != MAP_FAILED);
  std::vector<unsigned char> present((end + 4095) / 4096);
  const auto all_present = [&] {
    REQUIRE(mincore(mapped, end, present.data()) == 0);
    return std::all_of(present.begin(), present.end(), [](unsigned char page) { return (page & 1) != 0; });
  };
  for (int tries = 0; !all_present(); ++tries) {
    REQUIRE(tries < 5'000);
    std::this_thread::sleep_for(std::chrono::milliseconds(1));
  }
  munmap(mapped, end);
}
