// The common part of both file modules: from a request's path to the head of its answer.
#include <catch2/catch.hpp>

#include <fcntl.h>
#include <sys/inotify.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <sys/un.h>

#include "modules/plain_site.h"

using sluice::Method;
using sluice::test::Answer;
using sluice::test::ModuleRig;
using sluice::test::pattern;
using sluice::test::PlainSite;
using sluice::test::RequestPlan;
using sluice::test::TempFolder;
using sluice::test::Unprivileged;

namespace {

Answer run(ModuleRig& rig, const std::string& path, Method method, const std::string& query = {},
           const std::string& mount = "/m/") {
  RequestPlan plan;
  plan.path = path;
  plan.method = method;
  plan.query = query;
  plan.mount = mount;
  return rig.run(std::move(plan));
}

}  // namespace

TEST_CASE("the modules describe themselves", "[files]") {
  ModuleRig fixed(SLUICE_TEST_PLUGINS "/static_sendfile.so");
  CHECK(std::string(fixed.info().name) == "static_sendfile");
  CHECK(std::string(fixed.info().version) == "1.0.0");
  CHECK(std::string(fixed.info().default_mount) == "/static/");
  ModuleRig dynamic(SLUICE_TEST_PLUGINS "/dynamic_aio.so");
  CHECK(std::string(dynamic.info().name) == "dynamic_aio");
  CHECK(std::string(dynamic.info().version) == "1.0.0");
  CHECK(std::string(dynamic.info().default_mount) == "/dynamic/");
}

TEST_CASE_METHOD(PlainSite, "a file is served with its head", "[files]") {
  rig.mount(folder.path);
  const Answer answer = rig.get("a.txt");
  CHECK(answer->code == 200);
  CHECK(answer->content == "hello");
  CHECK(answer->declared == 5);
  CHECK(answer->line("Content-Type") == "text/plain; charset=utf-8");
  CHECK(answer->line("ETag").ends_with("\""));
  CHECK(answer->line("Last-Modified").ends_with(" GMT"));

  const Answer head = run(rig, "a.txt", Method::head);
  CHECK(head->code == 200);
  CHECK(head->declared == 5);
  CHECK(head->content.empty());
  CHECK(head->lines == answer->lines);
}

TEST_CASE_METHOD(PlainSite, "paths that name nothing are 404", "[files]") {
  rig.mount(folder.path);
  for (const std::string path :
       {"nothing", "a.txt/", "a.txt/b", "empty/", "", "dir/nothing", "nothing/a.txt", "../a.txt", "/a.txt"}) {
    CAPTURE(path);
    CHECK(code(path) == 404);
  }
  CHECK(code(std::string(300, 'n')) == 404);
  CHECK(code(std::string(5000, 'n')) == 404);
}

TEST_CASE_METHOD(PlainSite, "folders are answered by their index", "[files]") {
  rig.mount(folder.path);
  CHECK(rig.get("dir/")->content == "index");
  CHECK(rig.get("dir/")->line("Content-Type") == "text/html; charset=utf-8");
  folder.write("home.txt", "home");
  const std::size_t other = rig.mount(folder.path, {{"index", "home.txt"}});
  CHECK(rig.get("", other)->content == "home");
  const std::size_t none = rig.mount(folder.path, {{"index", ""}});
  CHECK(rig.get("dir/", none)->code == 404);
  const std::size_t nested = rig.mount(folder.path, {{"index", "dir"}});
  CHECK(rig.get("", nested)->code == 404);
}

TEST_CASE_METHOD(PlainSite, "a folder without its slash is redirected", "[files]") {
  rig.mount(folder.path);
  CHECK(run(rig, "dir", Method::get)->code == 301);
  CHECK(run(rig, "dir", Method::get)->line("Location") == "/m/dir/");
  CHECK(run(rig, "dir", Method::head, "a=b&c")->line("Location") == "/m/dir/?a=b&c");
  mkdir((folder / "d \xC3\xA4?").c_str(), 0755);
  CHECK(run(rig, "d \xC3\xA4?", Method::get)->line("Location") == "/m/d%20%C3%A4%3F/");
  CHECK(run(rig, "dir", Method::get, "", "/")->line("Location") == "/dir/");
  CHECK(run(rig, "dir", Method::get, "", "/a b\xC3\xA4/")->line("Location") == "/a%20b%C3%A4/dir/");
  const std::string query(8000, 'q');
  CHECK(run(rig, "dir", Method::get, query)->line("Location") == "/m/dir/?" + query);
  // The query is never left out: without room for it there is no redirect.
  const Answer too_long = run(rig, "dir", Method::get, std::string(100'000, 'q'));
  CHECK(too_long->code == 414);
  CHECK(too_long->line("Location").empty());
}

TEST_CASE_METHOD(PlainSite, "only methods that read are allowed", "[files]") {
  rig.mount(folder.path);
  for (const Method method : {Method::post, Method::put, Method::del, Method::patch, Method::trace}) {
    const Answer answer = run(rig, "a.txt", method);
    CHECK(answer->code == 405);
    CHECK(answer->line("Allow") == "GET, HEAD, OPTIONS");
  }
  CHECK(run(rig, "a.txt", Method::other)->code == 501);
  const Answer options = run(rig, "a.txt", Method::options);
  CHECK(options->code == 204);
  CHECK(options->line("Allow") == "GET, HEAD, OPTIONS");
  CHECK(options->declared == 0);
}

TEST_CASE_METHOD(PlainSite, "hidden files are served only when asked for", "[files]") {
  folder.write(".secret", "secret");
  mkdir((folder / "dir/.git").c_str(), 0755);
  folder.write("dir/.git/config", "config");
  folder.write("a.b", "dot");
  rig.mount(folder.path);
  CHECK(code(".secret") == 404);
  CHECK(code("dir/.git/config") == 404);
  CHECK(code("dir/.git") == 404);
  CHECK(code("a.b") == 200);
  const std::size_t open = rig.mount(folder.path, {{"hidden", "on"}});
  CHECK(rig.get(".secret", open)->content == "secret");
  CHECK(rig.get("dir/.git/config", open)->content == "config");
}

TEST_CASE_METHOD(PlainSite, "links are followed within the folder only", "[files]") {
  TempFolder outside;
  outside.write("x", "outside");
  REQUIRE(symlink("a.txt", (folder / "in").c_str()) == 0);
  REQUIRE(symlink("../a.txt", (folder / "dir/up").c_str()) == 0);
  REQUIRE(symlink(outside.path.c_str(), (folder / "out").c_str()) == 0);
  REQUIRE(symlink((folder / "a.txt").c_str(), (folder / "absolute").c_str()) == 0);
  REQUIRE(symlink("../../../../../../etc/passwd", (folder / "passwd").c_str()) == 0);
  REQUIRE(symlink("loop", (folder / "loop").c_str()) == 0);
  REQUIRE(symlink("/proc/self/fd/0", (folder / "magic").c_str()) == 0);
  rig.mount(folder.path);
  CHECK(rig.get("in")->content == "hello");
  CHECK(rig.get("dir/up")->content == "hello");
  CHECK(rig.get("absolute")->content == "hello");
  CHECK(rig.get("absolute")->content == "hello");
  for (const std::string path : {"out/x", "out", "passwd", "loop", "magic"}) {
    CAPTURE(path);
    CHECK(code(path) == 404);
  }
}

TEST_CASE_METHOD(PlainSite, "a mount that refuses links does not serve what another mount found by one",
                 "[files]") {
  REQUIRE(symlink("a.txt", (folder / "in").c_str()) == 0);
  const std::size_t followed = rig.mount(folder.path);
  const std::size_t refused = rig.mount(folder.path, {{"links", "off"}});
  CHECK(rig.get("in", followed)->content == "hello");
  CHECK(rig.get("in", refused)->code == 404);
  CHECK(rig.get("in", followed)->content == "hello");
}

TEST_CASE_METHOD(PlainSite, "the mount's own path lies between the folder and the file", "[files]") {
  REQUIRE(symlink("../a.txt", (folder / "dir/x.txt").c_str()) == 0);
  const std::size_t below = rig.mount(folder.path, {}, "dir/");
  CHECK(rig.get("index.html", below)->content == "index");
  CHECK(rig.get("", below)->content == "index");
  CHECK(rig.get("x.txt", below)->content == "hello");
  CHECK(rig.get("a.txt", below)->code == 404);
}

TEST_CASE_METHOD(PlainSite, "anything but a regular file is 404, without waiting", "[files]") {
  REQUIRE(mkfifo((folder / "fifo").c_str(), 0644) == 0);
  REQUIRE(symlink("fifo", (folder / "to-fifo").c_str()) == 0);
  const int fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);
  sockaddr_un address{};
  address.sun_family = AF_UNIX;
  (folder / "socket").copy(address.sun_path, sizeof(address.sun_path) - 1);
  REQUIRE(bind(fd, reinterpret_cast<sockaddr*>(&address), sizeof(address)) == 0);
  rig.mount(folder.path);
  CHECK(code("fifo") == 404);
  CHECK(code("to-fifo") == 404);
  CHECK(code("socket") == 404);
  close(fd);
}

TEST_CASE_METHOD(PlainSite, "anything but a regular file is not even opened", "[files]") {
  REQUIRE(mkfifo((folder / "fifo").c_str(), 0644) == 0);
  REQUIRE(symlink("fifo", (folder / "to-fifo").c_str()) == 0);
  rig.mount(folder.path);
  const int seen = inotify_init1(IN_NONBLOCK | IN_CLOEXEC);
  REQUIRE(inotify_add_watch(seen, (folder / "fifo").c_str(), IN_OPEN) > 0);
  const auto was_opened = [seen] {
    inotify_event event;
    return read(seen, &event, sizeof(event)) > 0;
  };
  CHECK(code("fifo") == 404);
  CHECK(code("to-fifo") == 404);
  CHECK_FALSE(was_opened());
  close(open((folder / "fifo").c_str(), O_RDONLY | O_NONBLOCK));
  CHECK(was_opened());
  close(seen);
}

TEST_CASE_METHOD(PlainSite, "a file that may not be read is 403", "[files]") {
  rig.mount(folder.path);
  chmod((folder / "a.txt").c_str(), 0);
  mkdir((folder / "closed").c_str(), 0755);
  folder.write("closed/b.txt", "b");
  chmod((folder / "closed").c_str(), 0);
  const Unprivileged user;
  CHECK(code("a.txt") == 403);
  CHECK(code("closed/b.txt") == 403);
}

TEST_CASE_METHOD(PlainSite, "without descriptors the cache closes some files; then it is 503", "[files]") {
  rig.mount(folder.path);
  rlimit before{};
  getrlimit(RLIMIT_NOFILE, &before);
  const int lowest_free = dup(0);
  close(lowest_free);
  rlimit tight = before;
  tight.rlim_cur = static_cast<rlim_t>(lowest_free);
  const auto code_when_tight = [&](const std::string& path) {
    setrlimit(RLIMIT_NOFILE, &tight);
    const std::uint32_t status = code(path);
    setrlimit(RLIMIT_NOFILE, &before);
    return status;
  };
  CHECK(code_when_tight("a.txt") == 503);
  // Two cached files use two descriptors; one of them is closed for the third file.
  folder.write("b.txt", "b");
  folder.write("c.txt", "c");
  CHECK(code("a.txt") == 200);
  CHECK(code("b.txt") == 200);
  tight.rlim_cur += 2;
  CHECK(code_when_tight("c.txt") == 200);
}

TEST_CASE_METHOD(PlainSite, "a name that is not in the kernel's cache is looked up by a thread", "[files]") {
  rig.mount(folder.path);
  const Answer answer = rig.get("never-asked-for-before");
  CHECK(answer->deferred);
  CHECK(answer->code == 404);

  rig.server.refuse_offloads = 1;
  CHECK(code("never-asked-for-either") == 503);
  rig.server.expire_offloads = true;
  CHECK(code("never-asked-for-too") == 503);
  rig.server.expire_offloads = false;

  rig.server.pause_offload(true);
  RequestPlan plan;
  plan.path = "never-asked-for-at-all";
  Answer gone = rig.start(std::move(plan));
  CHECK(gone->deferred);
  rig.server.turn();
  gone.reset();
  rig.server.pause_offload(false);
  CHECK(rig.server.run_until([&] { return rig.server.offload_idle(); }));
}

TEST_CASE_METHOD(PlainSite, "a changed file is served anew", "[files]") {
  rig.mount(folder.path);
  const std::string size_at_first = rig.get("a.txt")->content;
  folder.write("a.txt", "HELLO");
  CHECK(rig.get("a.txt")->content == "HELLO");
  folder.write("a.txt", "longer than before");
  CHECK(rig.get("a.txt")->content == "longer than before");
  folder.write("b.txt", "renamed");
  rename((folder / "b.txt").c_str(), (folder / "a.txt").c_str());
  CHECK(rig.get("a.txt")->content == "renamed");
  unlink((folder / "a.txt").c_str());
  CHECK(code("a.txt") == 404);
  folder.write("a.txt", "back");
  CHECK(rig.get("a.txt")->content == "back");
}

TEST_CASE_METHOD(PlainSite, "a file that a folder has replaced is not kept open", "[files]") {
  rig.mount(folder.path, {{"nosniff", "off"}, {"revalidate_ms", "0"}});
  CHECK(rig.get("a.txt")->content == "hello");
  CHECK(rig.server.field_blocks_out == 2);
  unlink((folder / "a.txt").c_str());
  mkdir((folder / "a.txt").c_str(), 0755);
  CHECK(code("a.txt") == 301);
  CHECK(rig.server.field_blocks_out == 0);
}

TEST_CASE_METHOD(PlainSite, "revalidate_ms bounds how long a moved link goes unseen", "[files]") {
  folder.write("one", "1");
  folder.write("two", "2");
  REQUIRE(symlink("one", (folder / "link").c_str()) == 0);
  rig.mount(folder.path);
  const std::size_t always = rig.mount(folder.path, {{"revalidate_ms", "0"}});
  CHECK(rig.get("link")->content == "1");
  REQUIRE(symlink("two", (folder / "new").c_str()) == 0);
  rename((folder / "new").c_str(), (folder / "link").c_str());
  CHECK(rig.get("link", always)->content == "2");
  rename((folder / "link").c_str(), (folder / "was").c_str());
  REQUIRE(symlink("one", (folder / "link").c_str()) == 0);
  rig.server.advance_clock(1000);
  rig.server.turn();
  CHECK(rig.get("link")->content == "1");
}

TEST_CASE_METHOD(PlainSite, "mounts have their own default type", "[files]") {
  folder.write("README", "read me");
  rig.mount(folder.path);
  const std::size_t other = rig.mount(folder.path, {{"default_type", "text/plain"}});
  CHECK(rig.get("README")->line("Content-Type") == "application/octet-stream");
  CHECK(rig.get("README", other)->line("Content-Type") == "text/plain");
  CHECK(rig.get("README")->line("Content-Type") == "application/octet-stream");
}

TEST_CASE_METHOD(PlainSite, "options that cannot work are refused", "[files]") {
  CHECK_THROWS_WITH(rig.mount(""), "it has no folder to serve");
  CHECK_THROWS_WITH(rig.mount(folder.path, {{"inline_max", "2M"}}),
                    "inline_max is more than 1M: write 1M or less");
  CHECK_THROWS_WITH(rig.mount(folder.path, {{"index", "a/b"}}),
                    "index has a slash: write only the name of a file");
  CHECK_THROWS_WITH(rig.mount(folder.path, {{"default_type", "a\nb"}}),
                    "default_type is not a valid field value");
}

TEST_CASE_METHOD(PlainSite, "small files are sent whole, and from memory when they are old enough", "[files]") {
  rig.mount(folder.path);
  const std::size_t never = rig.mount(folder.path, {{"inline_max", "0"}});
  folder.write("small", pattern(8192));
  folder.write("large", pattern(8193));
  folder.write("zero", "");
  CHECK(rig.get("small")->pumps == 0);
  CHECK(rig.get("small")->content == pattern(8192));
  CHECK(rig.get("large")->pumps > 0);
  CHECK(rig.get("large")->content == pattern(8193));
  CHECK(rig.get("small", never)->pumps > 0);
  CHECK(rig.get("small", never)->content == pattern(8192));
  for (const std::size_t handler : {std::size_t{0}, never}) {
    const Answer zero = rig.get("zero", handler);
    CHECK(zero->code == 200);
    CHECK(zero->declared == 0);
    CHECK(zero->complete);
  }
}

TEST_CASE_METHOD(PlainSite, "a retired module still answers, and keeps no files", "[files]") {
  rig.mount(folder.path, {{"nosniff", "off"}});  // the line is an option of the mount
  CHECK(rig.get("a.txt")->content == "hello");
  CHECK(rig.server.field_blocks_out == 2);
  rig.retire();
  CHECK(rig.server.field_blocks_out == 0);
  CHECK(rig.get("a.txt")->content == "hello");
  CHECK(rig.server.field_blocks_out == 0);
}

TEST_CASE_METHOD(PlainSite, "a file larger than 4 GiB has its full Content-Length", "[files]") {
  constexpr std::uint64_t kSize = (std::uint64_t{5} << 30) + 7;
  folder.write("big", "start");
  REQUIRE(truncate((folder / "big").c_str(), static_cast<off_t>(kSize)) == 0);
  rig.mount(folder.path);
  CHECK(run(rig, "big", Method::head)->declared == kSize);
  RequestPlan plan;
  plan.path = "big";
  const Answer answer = rig.start(std::move(plan));
  CHECK(rig.server.run_until([&] { return answer->received > 300'000; }));
  CHECK(answer->content.starts_with("start"));
  CHECK(answer->declared == kSize);
}
