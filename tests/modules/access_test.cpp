// The filter access: who may pass by address and by password, and what is hidden.
#include <sys/stat.h>

#include <catch2/catch.hpp>
#include <string>
#include <string_view>

#include "support/access_fixture.h"

using namespace sluice::test::access;
using Catch::Matchers::Contains;
using sluice::test::Answer;
using sluice::test::RequestPlan;

TEST_CASE_METHOD(AccessFixture, "addresses of allow pass, those of deny do not", "[access]") {
  mount({{"allow", "192.0.2.0/24\n2001:db8::/32\nunix"}, {"deny", "192.0.2.66\n192.0.2.128/25"}});
  for (const char* client :
       {"192.0.2.1:49152", "192.0.2.127:1", "[2001:db8:1::2]:80", "[::ffff:192.0.2.1]:80",
        "[::ffff:c000:201]:80", "unix:", "[2001:db8::1%eth0]:80", "192.0.2.1", "[2001:db8:1::2]"}) {
    INFO(client);
    const Answer answer = rig.run(from(client));
    CHECK(answer->passed);
    CHECK(answer->code == 200);
  }
  for (const char* client : {"192.0.2.66:49152", "[::ffff:192.0.2.66]:80", "192.0.2.128:80", "192.0.3.1:80",
                             "[2001:db9::1]:80", "[::c000:201]:80", "192.0.2.66", "[2001:db9::1]"}) {
    INFO(client);
    const Answer answer = rig.run(from(client));
    CHECK_FALSE(answer->passed);
    CHECK(answer->code == 403);
  }
}

TEST_CASE_METHOD(AccessFixture, "with deny alone all others pass, and ranges are of one family", "[access]") {
  mount({{"deny", "0.0.0.0/0\nunix"}});
  CHECK(code(from("[2001:db8::1]:80")) == 200);
  CHECK(code(from("[::ffff:192.0.2.1]:80")) == 403);
  CHECK(code(from("unix:")) == 403);
  mount({{"deny", "::/0"}});
  CHECK(code(from("192.0.2.1:80"), 1) == 200);
  CHECK(code(from("[2001:db8::1]:80"), 1) == 403);
  mount({{"deny", "::ffff:192.0.2.0/120"}});
  CHECK(code(from("192.0.2.1:80"), 2) == 403);
  CHECK(code(from("192.0.3.1:80"), 2) == 200);
}

TEST_CASE_METHOD(AccessFixture, "a user passes with the password, by each method of hashing", "[access]") {
  const std::string hash = GENERATE_COPY(kBcrypt, kSha256, kSha512, kYescrypt);
  mount_users("# people\n\nanna:" + hash + "\r\nbert:" + kSha256 + ":a comment\n");
  const Answer right = rig.run(by("anna:sesame"));
  CHECK(right->passed);
  CHECK(right->deferred);
  CHECK(right->notes.at("user") == "anna");
  CHECK(right->content == "content");
  CHECK(code(by("bert:sesame")) == 200);
  for (const char* wrong : {"anna:sesam", "anna:", "bert:Sesame", "carl:sesame", ":sesame", "anna:sesame "}) {
    INFO(wrong);
    const Answer answer = rig.run(by(wrong));
    CHECK(answer->code == 401);
    CHECK_FALSE(answer->passed);
    CHECK(answer->notes.empty());
    CHECK(answer->line("WWW-Authenticate") == "Basic realm=\"sluice\", charset=\"UTF-8\"");
  }
}

TEST_CASE_METHOD(AccessFixture, "malformed credentials are 401, without a comparison", "[access]") {
  mount_users("anna:" + kBcrypt + "\n", {{"realm", "a \"b\" \\"}});
  const std::string right = base64("anna:sesame");
  for (const std::string& value :
       {std::string(), "Bearer " + right, std::string("Basic"), "Basic " + right.substr(0, right.size() - 1),
        "Basic " + right + "====", "Basic !" + right.substr(1), "Basic " + base64("anna"),
        "Basic " + base64(std::string_view("anna:sesame\0", 12)), "Basic " + base64("anna:sesame\n"),
        "Basic =" + right.substr(1), right}) {
    INFO(value);
    RequestPlan plan = from("192.0.2.1:1");
    if (!value.empty()) plan.fields = {{"Authorization", value}};
    const Answer answer = rig.run(std::move(plan));
    CHECK(answer->code == 401);
    CHECK_FALSE(answer->deferred);
    CHECK(answer->line("WWW-Authenticate") == "Basic realm=\"a \\\"b\\\" \\\\\", charset=\"UTF-8\"");
  }
  RequestPlan twice = by("anna:sesame");
  twice.fields.push_back({"authorization", "Basic " + base64("admin:x")});
  CHECK(code(std::move(twice)) == 401);
  RequestPlan odd_case = from("192.0.2.1:1");
  odd_case.fields = {{"AUTHORIZATION", "bASIC  " + right}};
  CHECK(code(std::move(odd_case)) == 200);
}

TEST_CASE_METHOD(AccessFixture, "what was verified is not compared again, for some time", "[access]") {
  mount_users("anna:" + kBcrypt + "\n");
  CHECK(code(by("anna:sesame")) == 200);
  const std::uint64_t compared = rig.server.works_offered;
  const Answer again = rig.run(by("anna:sesame"));
  CHECK(again->passed);
  CHECK_FALSE(again->deferred);
  CHECK(again->notes.at("user") == "anna");
  CHECK(rig.server.works_offered == compared);
  CHECK(code(by("anna:wrong")) == 401);
  CHECK(code(by("anna:wrong")) == 401);
  CHECK(rig.server.works_offered == compared + 2);
  rig.server.advance_clock(600'001);
  rig.server.turn();
  const Answer later = rig.run(by("anna:sesame"));
  CHECK(later->passed);
  CHECK(later->deferred);
}

TEST_CASE_METHOD(AccessFixture, "an unknown user costs a comparison, and cannot pass by it", "[access]") {
  mount_users("anna:" + kBcrypt + "\n");
  for (int i = 0; i < 2; ++i) {
    const std::uint64_t compared = rig.server.works_offered;
    const Answer answer = rig.run(by("nobody:sesame"));
    CHECK(answer->code == 401);
    CHECK(answer->deferred);
    CHECK(rig.server.works_offered == compared + 1);
  }
}

TEST_CASE_METHOD(AccessFixture, "requests with the same credentials share a comparison", "[access]") {
  mount_users("anna:" + kBcrypt + "\nbert:" + kBcrypt + "\n");
  rig.server.pause_offload(true);
  const std::uint64_t compared = rig.server.works_offered;
  const Answer first = rig.start(by("anna:sesame"));
  const Answer second = rig.start(by("anna:sesame"));
  const Answer other = rig.start(by("bert:sesame"));
  const Answer wrong = rig.start(by("anna:open"));
  Answer leaves = rig.start(by("anna:sesame"));
  leaves->cancel();
  leaves.reset();
  CHECK(rig.server.works_offered == compared + 3);
  rig.server.pause_offload(false);
  REQUIRE(rig.server.run_until(
      [&] { return first->ended() && second->ended() && other->ended() && wrong->ended(); }));
  CHECK(first->code == 200);
  CHECK(second->code == 200);
  CHECK(other->code == 200);
  CHECK(other->notes.at("user") == "bert");
  CHECK(wrong->code == 401);
}

TEST_CASE_METHOD(AccessFixture, "where no thread is free the answer is 503, and nothing is remembered",
                 "[access]") {
  mount_users("anna:" + kBcrypt + "\n");
  SECTION("the queue is full") {
    rig.server.refuse_offloads = 1;
    CHECK(code(by("anna:sesame")) == 503);
  }
  SECTION("it waits too long in the queue") {
    rig.server.expire_offloads = true;
    CHECK(code(by("anna:sesame")) == 503);
    rig.server.expire_offloads = false;
  }
  const Answer answer = rig.run(by("anna:sesame"));
  CHECK(answer->code == 200);
  CHECK(answer->deferred);
}

TEST_CASE_METHOD(AccessFixture, "all or any of address and password", "[access]") {
  const Options allow{{"allow", "198.51.100.0/24"}, {"deny", "198.51.100.9"}};
  RequestPlan near = by("anna:sesame");
  near.client = "198.51.100.1:1";
  RequestPlan near_wrong = by("anna:wrong");
  near_wrong.client = "198.51.100.1:1";
  SECTION("all") {
    mount_users("anna:" + kBcrypt + "\n", allow);
    CHECK(code(near) == 200);
    CHECK(code(near_wrong) == 401);
    CHECK(code(from("198.51.100.1:1")) == 401);
    const Answer far = rig.run(by("anna:sesame"));
    CHECK(far->code == 403);
    CHECK_FALSE(far->deferred);
  }
  SECTION("any") {
    Options options = allow;
    options["satisfy"] = "any";
    mount_users("anna:" + kBcrypt + "\n", options);
    CHECK(code(from("198.51.100.1:1")) == 200);
    CHECK(code(near_wrong) == 200);
    CHECK(code(from("198.51.100.9:1")) == 401);
    CHECK(code(from("192.0.2.1:1")) == 401);
    CHECK(code(by("anna:wrong")) == 401);
    CHECK(code(by("anna:sesame")) == 200);
  }
}

TEST_CASE_METHOD(AccessFixture, "hidden paths are 404, with all below them", "[access]") {
  mount({{"hide", ".git\n*/.git\n*.bak\nprivate/*"}});
  const auto at = [&](const std::string& path, std::size_t filter = 0) {
    RequestPlan plan = by("anna:sesame");
    plan.path = path;
    return code(std::move(plan), filter);
  };
  for (const char* path :
       {".git", ".git/", ".git/config", "a/b/.git/HEAD", "a.bak", "a/b.bak", "a.bak/b", "private/a"})
    CHECK(at(path) == 404);
  for (const char* path : {"", "git", ".gitignore", "a.bakery", "private", "x/private/a"})
    CHECK(at(path) == 200);

  // Who may not pass does not learn what is hidden.
  mount_users("anna:" + kBcrypt + "\n", {{"hide", "secret"}});
  RequestPlan nobody = from("192.0.2.1:1");
  nobody.path = "secret";
  CHECK(code(nobody, 1) == 401);
  CHECK(at("secret", 1) == 404);
  CHECK(at("secret", 1) == 404);  // without a comparison
  CHECK(at("a", 1) == 200);
}

TEST_CASE_METHOD(AccessFixture, "a name that is too long to be noted does not pass", "[access]") {
  const std::string name(5'000, 'a');
  mount_users(name + ":" + kBcrypt + "\n");
  const Answer answer = rig.run(by(name + ":sesame"));
  CHECK(answer->code == 500);
  CHECK_FALSE(answer->passed);
}

TEST_CASE_METHOD(AccessFixture, "options of access that mean nothing are refused", "[access]") {
  CHECK_THAT(refusal({}), Contains("it lets everybody pass: give allow, deny, users or hide"));
  for (const char* text :
       {"a", "192.0.2.1/33", "192.0.2.1/24", "192.0.2.0/", "192.0.2.0/ 24", "2001:db8::/129", "2001:db8::1/64",
        "fe80::1%eth0", "192.0.2.1:80", "::ffff:192.0.2.0/24", "192.0.2.0/+8"})
    CHECK_THAT(refusal({{"allow", text}}),
               Contains("the option allow has '" + std::string(text) + "': write an address"));
  CHECK_THAT(refusal({{"deny", "all"}}), Contains("the option deny has 'all': write an address"));
  CHECK_THAT(refusal({{"users", file()}}), Contains(file() + " is missing: make it with"));
  CHECK_THAT(refusal({{"users", folder.path}}), Contains(folder.path + " is no regular file"));
  CHECK_THAT(refusal({{"satisfy", "any"}, {"allow", "unix"}}), Contains("give both of them, or leave it out"));
  folder.write("users", "anna:" + kBcrypt + "\n");
  CHECK_THAT(refusal({{"satisfy", "any"}, {"users", file()}}), Contains("give both of them, or leave it out"));
  CHECK_THAT(refusal({{"realm", "a\rb"}, {"users", file()}}), Contains("the option realm has characters"));
  folder.write("open", "anna:" + kBcrypt + "\n");
  CHECK(::chmod((folder / "open").c_str(), 0666) == 0);
  CHECK_THAT(refusal({{"users", folder / "open"}}),
             Contains("open may be written by everybody: change its mode"));
  CHECK(::mkfifo((folder / "fifo").c_str(), 0600) == 0);
  CHECK_THAT(refusal({{"users", folder / "fifo"}}), Contains("is no regular file: name an htpasswd file"));
}
