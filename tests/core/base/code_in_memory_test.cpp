#include "base/code_in_memory.h"

#include <dlfcn.h>
#include <fcntl.h>

#include <algorithm>
#include <catch2/catch.hpp>
#include <optional>
#include <string>

#include "module/private_copy.h"

using namespace sluice;

namespace {

std::string path_of(const std::string& name) {
  char path[120];
  return {path, path_of_code(name.c_str(), path, sizeof(path))};
}

void fill(const CodeInMemory& code) {
  const UniqueFd from(::open(SLUICE_TEST_MODULES "/half.so", O_RDONLY | O_CLOEXEC));
  REQUIRE(copy_bytes(from.get(), code.fd(), "half.so"));
}

bool is_open(int fd) {
  return ::fcntl(fd, F_GETFD) >= 0;
}

}  // namespace

TEST_CASE("code in memory has its file's name, and keeps its number while it is mapped", "[code_in_memory]") {
  REQUIRE(memory_allows_code());
  const std::string path = "/run/store/" + std::string(GENERATE(1u, 300u), 'x') + "/half.1.so";
  std::optional<CodeInMemory> code(path);
  REQUIRE(code->fd() >= 0);
  fill(*code);
  CHECK_FALSE(is_mapped(path));
  void* handle = ::dlopen(code->name().c_str(), RTLD_NOW | RTLD_LOCAL);
  REQUIRE(handle != nullptr);
  CHECK(is_mapped(path));
  const std::string name = code->name();
  const int fd = code->fd();
  code.reset();
  REQUIRE(is_open(fd));
  const std::string found = path_of(name);
  CHECK(found.size() == std::min<std::size_t>(path.size(), 120));
  CHECK(path.find(found) != std::string::npos);
  REQUIRE(::dlclose(handle) == 0);
  CHECK_FALSE(is_mapped(path));
  ::close(fd);
}

TEST_CASE("code in memory that is not mapped leaves no descriptor", "[code_in_memory]") {
  std::optional<CodeInMemory> code("/run/store/half.1.so");
  const int fd = code->fd();
  REQUIRE(is_open(fd));
  code.reset();
  CHECK_FALSE(is_open(fd));
}

TEST_CASE("other descriptors are not taken for code in memory", "[code_in_memory]") {
  const UniqueFd file(::open("/proc/self/exe", O_RDONLY | O_CLOEXEC));
  for (const std::string& name :
       {std::string(), std::string("/lib/x.so"), std::string("/proc/self/fd/"),
        std::string("/proc/self/fd/99999"), "/proc/self/fd/" + std::to_string(file.get())}) {
    CAPTURE(name);
    CHECK(path_of(name).empty());
  }
}
