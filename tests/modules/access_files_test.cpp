// The htpasswd files of the filter access: their lines, and their changes while serving.
#include <catch2/catch.hpp>
#include <filesystem>
#include <string>

#include "support/access_fixture.h"

using namespace sluice::test::access;
using sluice::test::Answer;
using sluice::test::RequestPlan;

TEST_CASE_METHOD(AccessFixture, "a changed file is taken while serving", "[access]") {
  mount_users("anna:" + kBcrypt + "\n");
  CHECK(code(by("anna:sesame")) == 200);
  const auto until = [&](const std::string& who, std::uint32_t wanted) {
    return rig.server.run_until([&] { return code(by(who)) == wanted; });
  };
  SECTION("by a rename") {
    folder.write("new", "bert:" + kSha256 + "\n");
    std::filesystem::rename(folder / "new", file());
    CHECK(until("bert:sesame", 200));
    // What was verified does not outlive the user.
    CHECK(code(by("anna:sesame")) == 401);
    CHECK(has_logged("was read again: 1 user"));
  }
  SECTION("in place") {
    folder.write("users", "bert:" + kSha256 + "\nanna:" + kSha512 + "\n");
    CHECK(until("bert:sesame", 200));
    CHECK(code(by("anna:sesame")) == 200);
    CHECK(has_logged("was read again: 2 users"));
  }
  SECTION("again and again, also by contents of one size at once") {
    for (int i = 0; i < 5; ++i) {
      folder.write("users", "bert:" + kBcrypt + "\n");
      CHECK(until("bert:sesame", 200));
      folder.write("users", "anna:" + kBcrypt + "\n");
      CHECK(until("bert:sesame", 401));
    }
  }
  SECTION("to no user at all") {
    folder.write("users", "");
    CHECK(until("anna:sesame", 401));
  }
  SECTION("by a rename while the queue is full") {
    rig.server.refuse_offloads = 1;
    folder.write("users", "bert:" + kSha256 + "\n");
    REQUIRE(rig.server.run_until([&] { return rig.server.refuse_offloads == 0; }));
    rig.server.advance_clock(1'000);
    CHECK(until("bert:sesame", 200));
  }
}

TEST_CASE_METHOD(AccessFixture, "a changed file is taken behind links", "[access]") {
  std::filesystem::create_directory(folder / "one");
  std::filesystem::create_directory(folder / "two");
  folder.write("one/users", "anna:" + kBcrypt + "\n");
  folder.write("two/users", "bert:" + kBcrypt + "\n");
  std::filesystem::create_symlink("one", folder / "now");
  std::filesystem::create_symlink("now/users", file());
  mount({{"users", file()}});
  CHECK(code(by("anna:sesame")) == 200);
  SECTION("in another folder, in place") {
    folder.write("one/users", "carl:" + kBcrypt + "\n");
    CHECK(rig.server.run_until([&] { return code(by("carl:sesame")) == 200; }));
  }
  SECTION("that are switched") {
    std::filesystem::create_symlink("two", folder / "next");
    std::filesystem::rename(folder / "next", folder / "now");
    CHECK(rig.server.run_until([&] { return code(by("bert:sesame")) == 200; }));
  }
}

TEST_CASE_METHOD(AccessFixture, "a change that nobody reports is seen within a minute", "[access]") {
  std::filesystem::create_directories(folder / "a/b");
  folder.write("a/b/users", "anna:" + kBcrypt + "\n");
  mount({{"users", folder / "a/b/users"}});
  CHECK(code(by("anna:sesame")) == 200);
  // The watches stay with the old folder.
  std::filesystem::create_directories(folder / "c/b");
  folder.write("c/b/users", "bert:" + kBcrypt + "\n");
  std::filesystem::rename(folder / "a", folder / "old");
  std::filesystem::rename(folder / "c", folder / "a");
  CHECK(code(by("bert:sesame")) == 401);
  rig.server.advance_clock(60'000);
  CHECK(rig.server.run_until([&] { return code(by("bert:sesame")) == 200; }));
}

TEST_CASE_METHOD(AccessFixture, "a file that has become wrong leaves the users as they were", "[access]") {
  mount_users("anna:" + kBcrypt + "\n");
  std::string mistake;
  SECTION("a wrong line") {
    folder.write("users", "anna:" + kBcrypt + "\nbert:sesame\n");
    mistake = "line 2 of " + file();
  }
  SECTION("it is gone") {
    std::filesystem::remove(file());
    mistake = file() + " is missing: make it with";
  }
  SECTION("a folder stands there") {
    std::filesystem::remove(file());
    std::filesystem::create_directory(file());
    mistake = file() + " is no regular file";
  }
  CHECK(has_logged("the users stay as they were: " + mistake));
  CHECK(code(by("anna:sesame")) == 200);
  const std::size_t lines = rig.server.logs.size();
  // The same mistake is logged once.
  const std::uint64_t works = rig.server.works_offered;
  rig.server.advance_clock(60'000);
  CHECK(rig.server.run_until([&] { return rig.server.works_offered > works && rig.server.offload_idle(); }));
  CHECK(rig.server.logs.size() == lines);
  std::filesystem::remove_all(file());
  folder.write("users", "bert:" + kBcrypt + "\n");
  CHECK(rig.server.run_until([&] { return code(by("bert:sesame")) == 200; }));
}

TEST_CASE_METHOD(AccessFixture, "mounts share a file, and retire with requests under way", "[access]") {
  mount_users("anna:" + kBcrypt + "\n");
  mount({{"users", file()}, {"realm", "other"}});
  CHECK(code(by("anna:sesame"), 1) == 200);
  CHECK_FALSE(rig.run(by("anna:sesame"), 0)->deferred);
  rig.server.pause_offload(true);
  const Answer waits = rig.start(by("anna:wrong"));
  rig.retire();
  rig.server.pause_offload(false);
  CHECK(rig.server.run_until([&] { return waits->ended(); }));
  CHECK(waits->code == 401);
  folder.write("users", "");
  rig.server.advance_clock(60'000);
  rig.server.turn();
  CHECK(code(by("anna:sesame")) == 200);
}

TEST_CASE_METHOD(AccessFixture, "lines that cannot be used are refused with a remedy", "[access]") {
  const std::string remedy = ": make the line with 'htpasswd -B', or its hash with 'openssl passwd -6'";
  const auto line = [&](const std::string& text) { return file_refusal("# one\n" + text + "\n"); };
  const std::string where = "line 2 of " + file();
  CHECK(line("anna:$apr1$abc$8Y.1vdZ3UnLZ5AqCZ4z0r0") ==
        where + " has a hash by MD5, which is too weak" + remedy);
  CHECK(line("anna:{SHA}nU4eI71bcnBGqeO0t9tXvY1u5oQ=") ==
        where + " has a hash by SHA-1, which is too weak" + remedy);
  CHECK(line("anna:sesame") == where + " has no hash by $2y$, $5$, $6$ or $y$" + remedy);
  CHECK(line("anna:") == where + " has no hash by $2y$, $5$, $6$ or $y$" + remedy);
  CHECK(line("anna") == where + " is not NAME:HASH" + remedy);
  CHECK(line(":" + kBcrypt) == where + " is not NAME:HASH" + remedy);
  for (const std::string& hash : {kBcrypt, kSha256, kSha512, kYescrypt}) {
    CHECK(line("anna:" + hash.substr(0, hash.size() - 1)) ==
          where + " has a hash that is cut off or mistyped" + remedy);
    CHECK(line("anna:" + hash + "x") == where + " has a hash that is cut off or mistyped" + remedy);
  }
  CHECK(line("anna:$2y$99$KBCwKxOzLha2MUDgW0PjXexpfJpcmyhZB2fRGE3GraFO6JmGHqpYq") ==
        where + " has a hash that is cut off or mistyped" + remedy);
  CHECK(line("anna:" + kBcrypt + "\nanna:" + kSha256) ==
        file() + " has two lines for the user 'anna': remove one of them");
}
