// The boundary between parts when the system gives no random numbers.
#include "common/serving/multipart_body.h"

#include <linux/filter.h>
#include <linux/seccomp.h>
#include <sys/prctl.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

#include <catch2/catch.hpp>
#include <cstddef>
#include <set>
#include <sstream>
#include <string>

#include "common/http/http_text.h"

using sluice::files::MultipartBody;

namespace {

// From now on this process' getrandom fails.
bool refuse_getrandom() {
  sock_filter program[] = {
      BPF_STMT(BPF_LD | BPF_W | BPF_ABS, offsetof(seccomp_data, nr)),
      BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K, SYS_getrandom, 0, 1),
      BPF_STMT(BPF_RET | BPF_K, SECCOMP_RET_ERRNO | 1),
      BPF_STMT(BPF_RET | BPF_K, SECCOMP_RET_ALLOW),
  };
  const sock_fprog filter{sizeof(program) / sizeof(program[0]), program};
  return prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0) == 0 &&
         prctl(PR_SET_SECCOMP, SECCOMP_MODE_FILTER, &filter) == 0;
}

std::string boundaries(int count) {
  std::string all;
  for (int i = 0; i < count; ++i)
    all += MultipartBody({{0, 0}, {5, 5}}, "text/plain", 10, nullptr).content_type() + "\n";
  return all;
}

}  // namespace

TEST_CASE("without random numbers boundaries still differ, and tell nothing of the process", "[multipart]") {
  int ends[2];
  REQUIRE(pipe(ends) == 0);
  const int here = 0;
  const pid_t child = fork();
  if (child == 0) {
    const std::string text = refuse_getrandom() ? boundaries(20) : "refused\n";
    _exit(write(ends[1], text.data(), text.size()) == static_cast<ssize_t>(text.size()) ? 0 : 1);
  }
  close(ends[1]);
  std::string text(8192, '\0');
  std::size_t size = 0;
  for (ssize_t got; (got = read(ends[0], text.data() + size, text.size() - size)) > 0;)
    size += static_cast<std::size_t>(got);
  text.resize(size);
  close(ends[0]);
  int status = 0;
  REQUIRE(waitpid(child, &status, 0) == child);
  REQUIRE(status == 0);
  if (text == "refused\n") {
    WARN("there are no filters of system calls here");
    return;
  }
  // The stack has the same address as before the fork.
  std::string address;
  sluice::files::append_hex(address, reinterpret_cast<std::uintptr_t>(&here) >> 20);
  CHECK(text.find(address) == std::string::npos);
  std::istringstream lines(text);
  std::set<std::string> seen;
  for (std::string line; std::getline(lines, line);) seen.insert(line);
  CHECK(seen.size() == 20);
}

TEST_CASE("random boundaries are all different", "[multipart]") {
  std::istringstream lines(boundaries(20));
  std::set<std::string> seen;
  for (std::string line; std::getline(lines, line);) seen.insert(line);
  CHECK(seen.size() == 20);
}
