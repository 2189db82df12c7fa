// Quotas of control groups, as both of their versions write them.
#include "settings/processor_quota.h"

#include <catch2/catch.hpp>
#include <filesystem>
#include <string>

#include "support/temp_folder.h"

using namespace sluice;
using sluice::test::TempFolder;

namespace {

struct Machine {
  TempFolder folder;

  void write(const std::string& name, const std::string& content) const {
    std::filesystem::create_directories(
        (folder.path + "/" + name).substr(0, (folder.path + "/" + name).rfind('/')));
    folder.write(name, content);
  }
  unsigned quota() const { return processor_quota(folder.path).value_or(0); }
};

}  // namespace

TEST_CASE("without a quota there is none", "[processor_quota]") {
  const Machine machine;
  CHECK(machine.quota() == 0);
  machine.write("proc/self/cgroup", "0::/system.slice/sluice.service\n");
  CHECK(machine.quota() == 0);
  machine.write("sys/fs/cgroup/system.slice/sluice.service/cpu.max", "max 100000\n");
  CHECK(machine.quota() == 0);
  for (const char* broken : {"", "\n", "x 100000\n", "100000\n", "0 100000\n", "100000 0\n", "-1 100000\n"}) {
    machine.write("sys/fs/cgroup/system.slice/sluice.service/cpu.max", broken);
    CHECK(machine.quota() == 0);
  }
}

TEST_CASE("version 2: the smallest quota on the way counts, rounded up", "[processor_quota]") {
  const Machine machine;
  machine.write("proc/self/cgroup", "0::/system.slice/sluice.service\n");
  machine.write("sys/fs/cgroup/system.slice/sluice.service/cpu.max", "350000 100000\n");
  CHECK(machine.quota() == 4);
  machine.write("sys/fs/cgroup/system.slice/cpu.max", "200000 100000\n");
  CHECK(machine.quota() == 2);
  machine.write("sys/fs/cgroup/cpu.max", "5000 100000\n");
  CHECK(machine.quota() == 1);
}

TEST_CASE("version 2 within a container: the group is at the top", "[processor_quota]") {
  const Machine machine;
  machine.write("proc/self/cgroup", "0::/\n");
  machine.write("sys/fs/cgroup/cpu.max", "150000 100000\n");
  CHECK(machine.quota() == 2);
}

TEST_CASE("version 1: the hierarchy that accounts for processors counts", "[processor_quota]") {
  const Machine machine;
  machine.write("proc/self/cgroup", "5:memory:/docker/1\n4:cpuset:/docker/1\n3:cpu,cpuacct:/docker/1\n");
  machine.write("sys/fs/cgroup/cpu/cpu.cfs_quota_us", "-1\n");
  machine.write("sys/fs/cgroup/cpu/cpu.cfs_period_us", "100000\n");
  CHECK(machine.quota() == 0);
  machine.write("sys/fs/cgroup/cpu/cpu.cfs_quota_us", "250000\n");
  CHECK(machine.quota() == 3);
  machine.write("sys/fs/cgroup/memory/docker/1/cpu.cfs_quota_us", "1\n");
  machine.write("sys/fs/cgroup/memory/docker/1/cpu.cfs_period_us", "1\n");
  CHECK(machine.quota() == 3);
}
