// Modules that declare what they need, and what the administrator grants them.
#include <elf.h>

#include <catch2/catch.hpp>
#include <filesystem>
#include <optional>
#include <string>

#include "base/landlock.h"
#include "support/server_process.h"
#include "swap/elf_edit.h"

using namespace sluice::test;
using Catch::Matchers::Contains;

TEST_CASE("a module that needs more than it is granted is refused, and told how to get it", "[e2e][grants]") {
  const Site site({"needy", "hello"});
  const std::string sentence =
      "module needy needs more than it is granted: add --grant needy=network,write:PATH, or take the module "
      "away";
  {
    ServerProcess server(site, {"--workers", "1"});
    CHECK(server.logs(sentence));
    CHECK(fetch(server.endpoint(), "/hello/").status == 200);
    CHECK(fetch(server.endpoint(), "/needy/").status == 404);
    CHECK(server.stop() == 0);
  }
  const Outcome checked = run(site.command({"--check", "--listen", "127.0.0.1:0"}));
  CHECK(checked.code == 1);
  CHECK_THAT(checked.err, Contains(sentence));
  {
    ServerProcess server(site, {"--workers", "1", "--grant", "needy=network,write:" + site.root()});
    CHECK(fetch(server.endpoint(), "/needy/").body == "needy\n");
    const Outcome status = run({sluice_binary(), "status"}, {{"RUNTIME_DIRECTORY", site.path("run")}});
    CHECK_THAT(status.out, Contains("CONFINED") && Contains(", but for network,write:" + site.root()));
    CHECK(server.stop() == 0);
  }
  ServerProcess server(site, {"--workers", "1", "--confine", "off"});
  CHECK(fetch(server.endpoint(), "/needy/").body == "needy\n");
  CHECK(server.stop() == 0);
}

TEST_CASE("a part of the needs is asked for alone", "[e2e][grants]") {
  const Site site({"needy"});
  ServerProcess server(site, {"--grant", "needy=network"});
  CHECK(server.logs("add --grant needy=write:PATH, or"));
  CHECK(server.stop() == 0);
}

TEST_CASE("without a granted path the server serves, and new workers take over once it is there",
          "[e2e][grants]") {
  const Site site({"intruder"});
  const std::string folder = site.path("later");
  const std::string grant = "intruder=write:" + folder;
  const std::string sentence = folder + ", which is granted to the module intruder, does not exist: make it";
  const Outcome refused = run(site.command({"--check", "--confine", "on", "--grant", grant}));
  CHECK(refused.code == 1);
  if (sluice::landlock_version() >= sluice::kLandlockScopes)
    CHECK_THAT(refused.err, Contains(sentence + ", or write --confine auto"));
  const Outcome checked = run(site.command({"--check", "--listen", "127.0.0.1:0", "--grant", grant}));
  CHECK(checked.code == 0);
  CHECK_THAT(checked.out, Contains("note: " + sentence));
  ServerProcess server(site, {"--workers", "1", "--grant", grant});
  CHECK(server.count_in_log(sentence) == 1);
  const auto write = [&] { return fetch(server.endpoint(), "/intruder/write?" + folder + "/new").body; };
  CHECK(write() == "ENOENT");
  std::filesystem::create_directory(folder);
  std::filesystem::permissions(folder, std::filesystem::perms::all);
  CHECK(eventually([&] { return write() == "ok"; }));
  CHECK(server.stop() == 0);
}

TEST_CASE("variables that clients' libraries read are named if workers do not have them", "[e2e][grants]") {
  const Site site({"intruder"});
  const Variables variables{{"https_proxy", "http://user:secret@proxy"}, {"PGHOST", "db"}, {"EDITOR", "ed"}};
  const auto log_of = [&](const std::vector<std::string>& options) {
    ServerProcess server(site, options, variables);
    const std::string log = server.log();
    CHECK(server.stop() == 0);
    CHECK(log.find("secret") == std::string::npos);
    CHECK(log.find("EDITOR") == std::string::npos);
    return log;
  };
  CHECK_THAT(log_of({"--grant", "intruder=network,env:PGHOST"}),
             Contains("workers do not have the variable") && Contains("https_proxy") &&
                 Contains(": add --grant NAME=env:") && !Contains("PGHOST"));
  // Without connections there is nothing to be found by them.
  CHECK_THAT(log_of({}), !Contains("PGHOST"));
  CHECK_THAT(log_of({"--grant", "intruder=network", "--confine", "off"}), !Contains("PGHOST"));
  CHECK_THAT(log_of({"--grant", "intruder=unix"}), Contains("PGHOST"));
}

TEST_CASE("a variable whose name a module has is named, with the grant for it", "[e2e][grants]") {
  const Site site({"intruder"});
  const Variables variables{{"INTRUDERS_OWN", "value"}};
  const std::string sentence =
      "module intruder has the name of INTRUDERS_OWN, which workers do not have in their environment: "
      "add --grant intruder=env:INTRUDERS_OWN if it reads that";
  {
    ServerProcess server(site, {"--workers", "1"}, variables);
    CHECK(server.count_in_log(sentence) == 1);
    CHECK(fetch(server.endpoint(), "/intruder/variable?").body == "none");
    CHECK(server.stop() == 0);
  }
  ServerProcess server(site, {"--workers", "1", "--grant", "intruder=env:INTRUDERS_OWN"}, variables);
  CHECK(server.count_in_log("has the name of") == 0);
  CHECK(fetch(server.endpoint(), "/intruder/variable?").body == "value");
  CHECK(server.stop() == 0);
}

TEST_CASE("a grant holds only where its module runs", "[e2e][grants]") {
  const Site site({"intruder", "hello"});
  const std::string secret = site.write_beside("secret", "s");
  const std::string alone = site.path("alone.sock");
  ServerProcess server(site, {"--workers", "1", "--mount", "/alone/=hello:isolate=on,listen=unix:" + alone,
                              "--grant", "hello=exec"});
  // The intruder runs in the other worker.
  CHECK(fetch(server.endpoint(), "/intruder/exec?/bin/true").body != "0");
  CHECK(server.stop() == 0);
}

TEST_CASE("functions that workers refuse are named, also of modules that cannot declare needs",
          "[e2e][grants]") {
  const Site site({"intruder"});
  const Outcome checked = run(site.command({"--check", "--listen", "127.0.0.1:0"}));
  CHECK(checked.code == 0);
  CHECK_THAT(checked.out, Contains("note: module intruder calls ") && Contains("connect()") &&
                              Contains("which workers refuse with EACCES: add --grant intruder="));
  const Outcome granted = run(site.command(
      {"--check", "--listen", "127.0.0.1:0", "--grant", "intruder=network,exec,write:" + site.root()}));
  CHECK(granted.out.find("refuse with EACCES") == std::string::npos);
}

TEST_CASE("uploads go to a folder that is granted", "[e2e][grants]") {
  const Site site({"kit_uploads"});
  const std::string folder = site.path("uploads");
  std::filesystem::create_directory(folder);
  std::filesystem::permissions(folder, std::filesystem::perms::all);
  const std::string mount = "/u/=kit_uploads:folder=" + folder;
  const auto upload = [&](const ServerProcess& server) {
    HttpClient client(server.endpoint());
    const std::string content = "--b\r\nContent-Disposition: form-data; name=\"kept\"; filename=\"f\"\r\n\r\n" +
                                std::string(300'000, 'x') + "\r\n--b--\r\n";
    client.send(
        "POST /u/keep HTTP/1.1\r\nHost: a\r\nContent-Type: multipart/form-data; boundary=b\r\n"
        "Content-Length: " +
        std::to_string(content.size()) + "\r\n\r\n" + content);
    return client.read_answer().status;
  };
  ServerProcess server(site, {"--workers", "1", "--mount", mount, "--grant", "kit_uploads=write:" + folder});
  CHECK(upload(server) == 201);
  CHECK(std::filesystem::file_size(folder + "/kept") == 300'000);
  CHECK(server.stop() == 0);
}

TEST_CASE("a changed module is tried with its own grants alone", "[e2e][grants]") {
  if (sluice::landlock_version() == 0) {
    WARN("without Landlock, every file is read");
    return;
  }
  const Site site({"intruder", "opener"});
  const std::string folder = site.path("secret");
  std::filesystem::create_directory(folder);
  const auto serve_and_swap = [&](const std::string& granted_to, const std::string& outcome) {
    ServerProcess server(site, {"--workers", "1", "--swap-quiet", "20ms", "--mount",
                                "/o/=opener:file=" + folder, "--grant", granted_to + "=read:" + folder});
    CHECK(fetch(server.endpoint(), "/o/").body == "opened\n");
    std::filesystem::copy_file(module_file("opener"), site.path("next"));
    std::filesystem::rename(site.path("next"), site.plugins() + "/opener.so");
    CHECK(server.logs(outcome));
    CHECK(server.stop() == 0);
  };
  serve_and_swap("opener", "module opener serves in generation 2");
  serve_and_swap("intruder", "it cannot open " + folder);
}

TEST_CASE("a library in a folder that workers may not read is named, with the grant for it", "[e2e][grants]") {
  if (sluice::landlock_version() == 0) {
    WARN("without Landlock, every folder is read");
    return;
  }
  namespace fs = std::filesystem;
  const Site site({"hello", "with_library"});
  const std::string folder = site.path("far");
  const bool by_variable = GENERATE(false, true);
  const auto far = [&](std::int64_t tag, const std::string&) {
    return tag == DT_RUNPATH ? std::optional(by_variable ? site.path("none") : folder) : std::nullopt;
  };
  site.write_beside("plugins.d/with_library.so",
                    *sluice::edit_dynamic_texts(site.read_plugin("with_library"), far));
  fs::create_directory(folder);
  fs::copy_file(fs::path(module_file("with_library")).parent_path() / "own_one/libown.so.1",
                site.path("libown.so.1.2"));
  fs::create_symlink("../libown.so.1.2", folder + "/libown.so.1");  // its own folder is the one to grant
  const Variables variables = by_variable ? Variables{{"LD_LIBRARY_PATH", folder}} : Variables{};
  const std::string real = fs::canonical(site.path(""));
  // The file may be called otherwise than its module, whose name is not known before it is loaded.
  const std::string remedy = "add --grant NAME=read:" + real + ", NAME being the module's name, or install";
  {
    ServerProcess server(site, {"--workers", "1"}, variables);
    CHECK(server.logs("with_library.so cannot be loaded: it needs " + folder +
                      "/libown.so.1, where workers may not read: " + remedy));
    CHECK(fetch(server.endpoint(), "/hello/").status == 200);
    CHECK(server.stop() == 0);
  }
  ServerProcess server(site, {"--workers", "1", "--grant", "with_library=read:" + real}, variables);
  CHECK(fetch(server.endpoint(), "/with_library/").body == "library one");
  CHECK(server.stop() == 0);
}

TEST_CASE("a module that cannot open a file because of confinement is told how to get it", "[e2e][grants]") {
  if (sluice::landlock_version() == 0) {
    WARN("without Landlock, every file is read");
    return;
  }
  const Site site({"opener", "hello"});
  const std::string folder = site.path("secret");
  const std::string remedy = "add --grant opener=read:" + folder;
  const std::vector<std::string> options{"--workers", "1", "--mount", "/o/=opener:file=" + folder};
  {
    const ServerProcess server(site, options);  // there is no such folder, and no grant could help
    CHECK(server.logs("it cannot open " + folder));
    CHECK(server.log().find(remedy) == std::string::npos);
  }
  {
    const ServerProcess server(site, {"--workers", "1", "--mount", "/o/=opener:file=/tmp/.."});
    CHECK(server.logs("it cannot open /tmp/.."));
    CHECK(server.log().find("add --grant") == std::string::npos);
  }
  std::filesystem::create_directory(folder);
  ServerProcess server(site, options);
  CHECK(server.logs("it cannot open " + folder + "; workers may not read " + folder + ": " + remedy));
  CHECK(fetch(server.endpoint(), "/o/").status == 503);
  CHECK(server.stop() == 0);
}
