// A trivial handler on cpp-httplib: a thread for each connection, as it works. httplib PORT
#include <httplib.h>

#include <cstdlib>

int main(int argc, char** argv) {
  if (argc != 2) return 2;
  httplib::Server server;
  server.new_task_queue = [] { return new httplib::ThreadPool(64); };
  server.set_keep_alive_max_count(1'000'000'000);
  server.set_keep_alive_timeout(600);
  server.set_tcp_nodelay(true);
  // Connections of the server before this one may still wait for their end.
  server.set_socket_options([](socket_t socket) {
    const int on = 1;
    ::setsockopt(socket, SOL_SOCKET, SO_REUSEADDR, &on, sizeof(on));
  });
  server.Get("/hello/", [](const httplib::Request&, httplib::Response& response) {
    response.set_content("Hello from a module of sluice.\n", "text/plain");
  });
  server.Get("/json/", [](const httplib::Request&, httplib::Response& response) {
    response.set_content(R"({"name":"attic","seats":4,"open":true})", "application/json");
  });
  return server.listen("127.0.0.1", std::atoi(argv[1])) ? 0 : 1;
}
