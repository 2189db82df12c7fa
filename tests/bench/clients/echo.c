// Sends a message of 64 bytes on each of its WebSockets, and the next one when it has come back.
//
//     echo PORT CONNECTIONS SECONDS
//
// Prints "FIGURES messages bytes ns errors".
#include <arpa/inet.h>
#include <netinet/tcp.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/socket.h>
#include <time.h>
#include <unistd.h>

enum { kContent = 64, kSent = 6 + kContent, kGot = 2 + kContent };
static char frame[kSent];
static const char kAsk[] =
    "GET /echo/ HTTP/1.1\r\nHost: 127.0.0.1\r\nConnection: Upgrade\r\nUpgrade: websocket\r\n"
    "Sec-WebSocket-Version: 13\r\nSec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\n\r\n";

static uint64_t now_ns(void) {
  struct timespec now;
  clock_gettime(CLOCK_MONOTONIC, &now);
  return (uint64_t)now.tv_sec * 1000000000u + (uint64_t)now.tv_nsec;
}

static int open_socket(uint16_t port) {
  const struct sockaddr_in address = {
      .sin_family = AF_INET, .sin_port = htons(port), .sin_addr.s_addr = htonl(INADDR_LOOPBACK)};
  const int fd = socket(AF_INET, SOCK_STREAM, 0);
  const int on = 1;
  setsockopt(fd, IPPROTO_TCP, TCP_NODELAY, &on, sizeof(on));
  if (connect(fd, (const struct sockaddr*)&address, sizeof(address)) != 0) return -1;
  if (send(fd, kAsk, sizeof(kAsk) - 1, 0) != (ssize_t)sizeof(kAsk) - 1) return -1;
  char head[4096];
  size_t size = 0;
  while (size < 4 || memcmp(head + size - 4, "\r\n\r\n", 4) != 0) {
    const ssize_t got = recv(fd, head + size, 1, 0);
    if (got <= 0 || ++size == sizeof(head)) return -1;
  }
  return memcmp(head, "HTTP/1.1 101", 12) == 0 ? fd : -1;
}

int main(int argc, char** argv) {
  if (argc != 4) return 2;
  const int connections = atoi(argv[2]);
  const char mask[4] = "mask";
  frame[0] = (char)0x81;
  frame[1] = (char)(0x80 | kContent);
  memcpy(frame + 2, mask, 4);
  for (int i = 0; i < kContent; ++i) frame[6 + i] = (char)('a' ^ mask[i % 4]);
  const int epoll = epoll_create1(0);
  size_t* got = calloc(65536, sizeof(*got));
  uint64_t messages = 0, errors = 0;
  for (int i = 0; i < connections; ++i) {
    const int fd = open_socket((uint16_t)atoi(argv[1]));
    if (fd < 0) {
      ++errors;
      continue;
    }
    struct epoll_event event = {.events = EPOLLIN, .data.fd = fd};
    epoll_ctl(epoll, EPOLL_CTL_ADD, fd, &event);
    if (send(fd, frame, kSent, 0) != kSent) ++errors;
  }
  const uint64_t begin = now_ns(), end = begin + (uint64_t)atoi(argv[3]) * 1000000000u;
  while (now_ns() < end && errors < 100) {
    struct epoll_event events[64];
    const int ready = epoll_wait(epoll, events, 64, 1000);
    for (int i = 0; i < ready; ++i) {
      const int fd = events[i].data.fd;
      char bytes[4096];
      const ssize_t size = recv(fd, bytes, sizeof(bytes), MSG_DONTWAIT);
      if (size <= 0) {
        ++errors;
        continue;
      }
      got[fd] += (size_t)size;
      if (got[fd] < kGot) continue;
      if (got[fd] > kGot) ++errors;
      got[fd] = 0;
      ++messages;
      if (send(fd, frame, kSent, 0) != kSent) ++errors;
    }
  }
  printf("FIGURES %llu %llu %llu %llu\n", (unsigned long long)messages, (unsigned long long)messages * kContent,
         (unsigned long long)(now_ns() - begin), (unsigned long long)errors);
  return 0;
}
