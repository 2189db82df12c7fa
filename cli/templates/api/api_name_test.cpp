// Starts the installed sluice with the module, and sends it requests over a socket.
#include <sys/stat.h>

#include <catch2/catch.hpp>
#include <string>
#include <vector>

#include "support/server_process.h"

using namespace sluice::test;

namespace {

// A folder in which the workers may make the database, also if root starts the server.
struct Served {
  Site site{{"api_name"}};
  ScratchFolder folder;
  std::vector<std::string> options() const {
    ::chmod(folder.path().c_str(), 0777);
    return {"--mount", "/notes/=api_name:database=" + folder.path("notes.db"), "--grant",
            "api_name=write:" + folder.path()};
  }
};

HttpAnswer ask(HttpClient& client, const std::string& method, const std::string& target,
               const std::string& content = "") {
  client.send(method + " /notes/" + target + " HTTP/1.1\r\nHost: a\r\nContent-Length: " +
              std::to_string(content.size()) + "\r\n\r\n" + content);
  return client.read_answer();
}

}  // namespace

TEST_CASE("notes are made, read, changed and removed") {
  const Served served;
  ServerProcess server(served.site, served.options());
  HttpClient client(server.endpoint());
  CHECK(ask(client, "GET", "notes").body == "[]");
  const HttpAnswer made = ask(client, "POST", "notes", "the \"first\"");
  CHECK(made.status == 201);
  CHECK(made.field("Location") == "/notes/notes/1");
  CHECK(ask(client, "GET", "notes/1").body == R"({"id":1,"text":"the \"first\""})");
  CHECK(ask(client, "PUT", "notes/1", "changed").body == R"({"id":1,"text":"changed"})");
  CHECK(ask(client, "POST", "notes", "'); DROP TABLE notes; --").status == 201);
  CHECK(ask(client, "GET", "notes?after=1").body == R"([{"id":2,"text":"'); DROP TABLE notes; --"}])");
  CHECK(ask(client, "PUT", "notes/2", std::string("a\0b", 3)).body == R"({"id":2,"text":"a\u0000b"})");
  CHECK(ask(client, "DELETE", "notes/2").status == 200);
  CHECK(ask(client, "GET", "notes").body == R"([{"id":1,"text":"changed"}])");
  CHECK(server.stop() == 0);
}

TEST_CASE("what cannot be is refused") {
  const Served served;
  ServerProcess server(served.site, served.options());
  HttpClient client(server.endpoint());
  for (const char* method : {"GET", "PUT", "DELETE"}) CHECK(ask(client, method, "notes/1").status == 404);
  CHECK(ask(client, "GET", "notes/one").status == 404);
  CHECK(ask(client, "GET", "notes?after=one").status == 400);
  CHECK(ask(client, "PATCH", "notes").field("Allow") == "GET, HEAD, OPTIONS, POST");
  CHECK(ask(client, "POST", "notes", std::string(64 * 1024 + 1, 'x')).status == 413);
  CHECK(server.stop() == 0);
}

TEST_CASE("notes outlive the server") {
  const Served served;
  {
    ServerProcess server(served.site, served.options());
    HttpClient client(server.endpoint());
    CHECK(ask(client, "POST", "notes", "kept").status == 201);
    CHECK(server.stop() == 0);
  }
  const ServerProcess server(served.site, served.options());
  CHECK(fetch(server.endpoint(), "/notes/notes/1").body == R"({"id":1,"text":"kept"})");
}

TEST_CASE("it asks for the database's file") {
  const Served served;
  const Outcome refused = run(served.site.command(
      {"--check", "--mount", "/notes/=api_name", "--grant", "api_name=write:" + served.folder.path()}));
  CHECK(refused.code == 1);
  CHECK_THAT(refused.err, Catch::Contains("write database="));
}
