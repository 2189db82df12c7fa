// Filters system calls, as containers and service managers do: some calls are refused. For a child before it
// executes a program, since a filter cannot be taken off.
#pragma once

#include <linux/audit.h>
#include <linux/filter.h>
#include <linux/seccomp.h>
#include <sys/prctl.h>
#include <sys/syscall.h>

#include <cstddef>
#include <vector>

namespace sluice::test {

// From now on every call of these numbers fails with `error`. False if no filter can be set.
inline bool refuse_calls(const std::vector<long>& numbers, int error) {
  const auto skip = static_cast<unsigned char>(numbers.size());
  std::vector<sock_filter> program{BPF_STMT(BPF_LD | BPF_W | BPF_ABS, offsetof(seccomp_data, nr))};
  for (unsigned char i = 0; i < skip; ++i) {
    const auto number = static_cast<unsigned>(numbers[i]);
    program.push_back(BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K, number, static_cast<unsigned char>(skip - i), 0));
  }
  program.push_back(BPF_STMT(BPF_RET | BPF_K, SECCOMP_RET_ALLOW));
  program.push_back(BPF_STMT(BPF_RET | BPF_K, SECCOMP_RET_ERRNO | static_cast<unsigned>(error)));
  const sock_fprog filter{static_cast<unsigned short>(program.size()), program.data()};
  return prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0) == 0 &&
         prctl(PR_SET_SECCOMP, SECCOMP_MODE_FILTER, &filter) == 0;
}

}  // namespace sluice::test
