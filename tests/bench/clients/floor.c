// What no server can undercut: an epoll loop that answers whatever comes with one fixed answer of 1 KiB in one write,
// without looking at it.
#define _GNU_SOURCE
#include <arpa/inet.h>
#include <netinet/tcp.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/socket.h>
#include <unistd.h>

enum { kEvents = 64, kAnswerMax = 2048, kContent = 1024 };

int main(int count, char** arguments) {
  if (count != 2) return 1;
  const int on = 1;
  const int listener = socket(AF_INET, SOCK_STREAM | SOCK_NONBLOCK, 0);
  setsockopt(listener, SOL_SOCKET, SO_REUSEADDR, &on, sizeof(on));
  struct sockaddr_in address = {.sin_family = AF_INET, .sin_port = htons((unsigned short)atoi(arguments[1]))};
  address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
  if (bind(listener, (struct sockaddr*)&address, sizeof(address)) != 0 || listen(listener, 4096) != 0) return 1;
  char answer[kAnswerMax];
  const int head = snprintf(answer, sizeof(answer),
                            "HTTP/1.1 200 OK\r\nServer: floor\r\nDate: Thu, 29 Feb 2024 12:00:00 GMT\r\n"
                            "Content-Type: application/octet-stream\r\nLast-Modified: Thu, 29 Feb 2024 12:00:00 GMT\r\n"
                            "ETag: \"0123456789abcdef-400\"\r\nAccept-Ranges: bytes\r\nContent-Length: %d\r\n\r\n",
                            kContent);
  memset(answer + head, 'x', kContent);
  const int loop = epoll_create1(0);
  struct epoll_event event = {.events = EPOLLIN, .data.fd = listener};
  epoll_ctl(loop, EPOLL_CTL_ADD, listener, &event);
  for (;;) {
    struct epoll_event events[kEvents];
    const int ready = epoll_wait(loop, events, kEvents, -1);
    for (int i = 0; i < ready; ++i) {
      const int fd = events[i].data.fd;
      if (fd == listener) {
        const int accepted = accept4(listener, NULL, NULL, SOCK_NONBLOCK);
        if (accepted < 0) continue;
        setsockopt(accepted, IPPROTO_TCP, TCP_NODELAY, &on, sizeof(on));
        event = (struct epoll_event){.events = EPOLLIN | EPOLLRDHUP | EPOLLET, .data.fd = accepted};
        epoll_ctl(loop, EPOLL_CTL_ADD, accepted, &event);
        continue;
      }
      char request[16384];
      const ssize_t got = recv(fd, request, sizeof(request), 0);
      if (got <= 0 || send(fd, answer, (size_t)(head + kContent), MSG_NOSIGNAL) < 0) close(fd);
    }
  }
}
