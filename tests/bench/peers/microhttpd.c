// A trivial handler on GNU libmicrohttpd: one thread, epoll. microhttpd PORT
#include <microhttpd.h>
#include <netinet/in.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

static const char kHello[] = "Hello from a module of sluice.\n";
static const char kJson[] = "{\"name\":\"attic\",\"seats\":4,\"open\":true}";

static enum MHD_Result answer(void* unused, struct MHD_Connection* connection, const char* url, const char* method,
                              const char* version, const char* upload, size_t* upload_size, void** request) {
  (void)unused, (void)method, (void)version, (void)upload, (void)upload_size, (void)request;
  const int is_json = strcmp(url, "/json/") == 0;
  const char* content = is_json ? kJson : kHello;
  struct MHD_Response* response =
      MHD_create_response_from_buffer(strlen(content), (void*)content, MHD_RESPMEM_PERSISTENT);
  MHD_add_response_header(response, "Content-Type", is_json ? "application/json" : "text/plain");
  const enum MHD_Result queued = MHD_queue_response(connection, MHD_HTTP_OK, response);
  MHD_destroy_response(response);
  return queued;
}

int main(int argc, char** argv) {
  if (argc != 2) return 2;
  struct MHD_Daemon* daemon =
      MHD_start_daemon(MHD_USE_EPOLL_INTERNAL_THREAD | MHD_USE_TURBO, (uint16_t)atoi(argv[1]), NULL, NULL, &answer,
                       NULL, MHD_OPTION_CONNECTION_LIMIT, 1000U, MHD_OPTION_CONNECTION_TIMEOUT, 600U, MHD_OPTION_END);
  if (daemon == NULL) return 1;
  pause();
  return 0;
}
