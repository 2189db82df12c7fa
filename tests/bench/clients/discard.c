// A client that is no bound for large answers: it has the kernel throw their content away, uncopied (MSG_TRUNC, tcp(7)).
// Each connection asks again when its answer has come whole. One thread.
//
//     discard PORT CONNECTIONS SECONDS PATH RANGES
//
// RANGES: 0 for the whole file, else so many different ranges of 64 KiB of a file of 1 GiB, in an order that is the same
// for every server. The end is a line of figures: requests, bytes, microseconds, errors.
#define _GNU_SOURCE
#include <arpa/inet.h>
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/socket.h>
#include <time.h>
#include <unistd.h>

enum { kEvents = 64, kHeadMax = 4096, kRangeSize = 65536, kRangesOfFile = 16384, kSeed = 20240229 };

struct Client {
  int fd;
  size_t head_size;           // of the answer's head, as far as it has come
  unsigned long long to_come;  // of its content; 0 while the head is incomplete
  char head[kHeadMax + 1];
};

static int port;
static const char* path;
static int ranges;
static unsigned long long requests, bytes, errors;
static unsigned state = kSeed;

static double now(void) {
  struct timespec time;
  clock_gettime(CLOCK_MONOTONIC, &time);
  return (double)time.tv_sec + (double)time.tv_nsec / 1e9;
}

static void ask(struct Client* client) {
  char request[512];
  char range[64] = "";
  if (ranges > 0) {
    static int next;
    if (next++ % ranges == 0) state = kSeed;
    state = state * 1103515245U + 12345U;
    const unsigned long first = (unsigned long)(state >> 8) % kRangesOfFile * kRangeSize;
    snprintf(range, sizeof(range), "Range: bytes=%lu-%lu\r\n", first, first + kRangeSize - 1);
  }
  const int size = snprintf(request, sizeof(request), "GET %s HTTP/1.1\r\nHost: 127.0.0.1\r\n%s\r\n", path, range);
  client->head_size = 0;
  client->to_come = 0;
  if (send(client->fd, request, (size_t)size, MSG_NOSIGNAL) != size) ++errors;
}

static void open_connection(struct Client* client, int loop) {
  struct sockaddr_in address = {.sin_family = AF_INET, .sin_port = htons((unsigned short)port)};
  address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
  client->fd = socket(AF_INET, SOCK_STREAM, 0);
  if (connect(client->fd, (struct sockaddr*)&address, sizeof(address)) != 0) {
    perror("discard: connect");
    exit(1);
  }
  struct epoll_event event = {.events = EPOLLIN, .data.ptr = client};
  epoll_ctl(loop, EPOLL_CTL_ADD, client->fd, &event);
  ask(client);
}

static void start_anew(struct Client* client, int loop) {
  ++errors;
  close(client->fd);
  open_connection(client, loop);
}

static int take_content(struct Client* client) {
  while (client->to_come > 0) {
    const size_t wanted = client->to_come < (1U << 30) ? (size_t)client->to_come : (1U << 30);
    const ssize_t got = recv(client->fd, NULL, wanted, MSG_TRUNC | MSG_DONTWAIT);
    if (got < 0 && errno == EAGAIN) return 1;
    if (got <= 0) return 0;
    client->to_come -= (unsigned long long)got;
    bytes += (unsigned long long)got;
  }
  ++requests;
  ask(client);
  return 1;
}

// What has come behind the head is content already.
static int take_head(struct Client* client) {
  const ssize_t got = recv(client->fd, client->head + client->head_size, kHeadMax - client->head_size, MSG_DONTWAIT);
  if (got < 0 && errno == EAGAIN) return 1;
  if (got <= 0) return 0;
  client->head_size += (size_t)got;
  client->head[client->head_size] = '\0';
  const char* end = strstr(client->head, "\r\n\r\n");
  if (end == NULL) return client->head_size < kHeadMax;
  const char* length = strcasestr(client->head, "\r\nContent-Length:");
  if (strncmp(client->head, "HTTP/1.1 20", 11) != 0 || length == NULL || length > end) return 0;
  client->to_come = strtoull(length + 17, NULL, 10);
  const size_t content = client->head_size - (size_t)(end + 4 - client->head);
  if (content > client->to_come) return 0;
  client->to_come -= content;
  bytes += client->head_size;
  return take_content(client);
}

int main(int count, char** arguments) {
  if (count != 6) return 1;
  port = atoi(arguments[1]);
  const int connections = atoi(arguments[2]);
  const double seconds = atof(arguments[3]);
  path = arguments[4];
  ranges = atoi(arguments[5]);
  const int loop = epoll_create1(0);
  struct Client* clients = calloc((size_t)connections, sizeof(*clients));
  for (int i = 0; i < connections; ++i) open_connection(&clients[i], loop);
  const double began = now();
  while (now() - began < seconds) {
    struct epoll_event events[kEvents];
    const int ready = epoll_wait(loop, events, kEvents, 1000);
    for (int i = 0; i < ready; ++i) {
      struct Client* client = events[i].data.ptr;
      if (!(client->to_come > 0 ? take_content(client) : take_head(client))) start_anew(client, loop);
    }
  }
  printf("FIGURES %llu %llu %.0f %llu\n", requests, bytes, (now() - began) * 1e6, errors);
  return 0;
}
