// What a server of files can hardly undercut: an epoll loop that has opened all files before the first request, takes
// the one that the path's number means, and sends it by one send and one sendfile. It judges nothing of the request,
// looks at no file again, and has no limits and no time-outs.
//
//     floor PORT ROOT
#define _GNU_SOURCE
#include <arpa/inet.h>
#include <errno.h>
#include <fcntl.h>
#include <netinet/tcp.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/sendfile.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <unistd.h>

enum { kEvents = 64, kRequestMax = 16384, kHeadMax = 512, kTreeFiles = 10000, kSmall = 1024, kConnections = 65536 };

struct File {
  int fd;
  size_t size;
};

// What is still to be sent on a connection, by its descriptor.
struct Rest {
  int fd;
  off_t at;
  size_t size;
};

static struct File tree[kTreeFiles], large, huge;
static char small[kSmall];
static struct Rest rests[kConnections];

static struct File open_file(const char* root, const char* name) {
  char path[4096];
  snprintf(path, sizeof(path), "%s/%s", root, name);
  struct stat status;
  struct File file = {.fd = open(path, O_RDONLY)};
  if (file.fd < 0 || fstat(file.fd, &status) != 0) {
    perror(path);
    exit(1);
  }
  file.size = (size_t)status.st_size;
  return file;
}

static void open_all(const char* root) {
  char name[64];
  for (int i = 0; i < kTreeFiles; ++i) {
    snprintf(name, sizeof(name), "tree/%d/%d.bin", i % 100, i);
    tree[i] = open_file(root, name);
  }
  large = open_file(root, "64m.bin");
  huge = open_file(root, "1g.bin");
  const struct File first = open_file(root, "1k.bin");
  if (read(first.fd, small, kSmall) != kSmall) exit(1);
}

static char* put_text(char* out, const char* text) {
  const size_t size = strlen(text);
  memcpy(out, text, size);
  return out + size;
}

static char* put_number(char* out, size_t number) {
  char digits[24];
  size_t count = 0;
  do digits[count++] = (char)('0' + number % 10);
  while ((number /= 10) > 0);
  while (count > 0) *out++ = digits[--count];
  return out;
}

static size_t write_head(char* head, const char* status, size_t first, size_t size, const struct File* part_of) {
  char* out = put_text(head, status);
  out = put_text(out, "Server: floor\r\nDate: Thu, 29 Feb 2024 12:00:00 GMT\r\nContent-Type: application/octet-stream\r\n"
                      "Accept-Ranges: bytes\r\nLast-Modified: Thu, 29 Feb 2024 12:00:00 GMT\r\n"
                      "ETag: \"0123456789abcdef-400\"\r\n");
  if (part_of != NULL) {
    out = put_number(put_text(out, "Content-Range: bytes "), first);
    out = put_number(put_text(out, "-"), first + size - 1);
    out = put_text(put_number(put_text(out, "/"), part_of->size), "\r\n");
  }
  out = put_text(put_number(put_text(out, "Content-Length: "), size), "\r\n\r\n");
  return (size_t)(out - head);
}

static void send_rest(int client) {
  struct Rest* rest = &rests[client];
  while (rest->size > 0) {
    const ssize_t sent = sendfile(client, rest->fd, &rest->at, rest->size);
    if (sent > 0) {
      rest->size -= (size_t)sent;
    } else if (errno == EAGAIN) {
      return;
    } else {
      rest->size = 0;  // the client has gone
    }
  }
}

static void answer(int client, const char* request) {
  char out[kHeadMax + kSmall];
  const char* path = request + 4;  // behind "GET "
  if (strncmp(path, "/1k", 3) == 0) {
    const size_t head = write_head(out, "HTTP/1.1 200 OK\r\n", 0, kSmall, NULL);
    memcpy(out + head, small, kSmall);
    if (send(client, out, head + kSmall, MSG_NOSIGNAL) < 0) close(client);
    return;
  }
  const char* range = strncmp(path, "/1g", 3) == 0 ? strstr(path, "bytes=") : NULL;
  struct File file = large;
  size_t first = 0;
  size_t head;
  if (range != NULL) {
    char* end;
    file = huge;
    first = strtoul(range + 6, &end, 10);
    file.size = strtoul(end + 1, NULL, 10) - first + 1;
    head = write_head(out, "HTTP/1.1 206 Partial Content\r\n", first, file.size, &huge);
  } else {
    if (strncmp(path, "/tree/", 6) == 0) file = tree[atoi(strchr(path + 6, '/') + 1) % kTreeFiles];
    head = write_head(out, "HTTP/1.1 200 OK\r\n", 0, file.size, NULL);
  }
  send(client, out, head, MSG_NOSIGNAL | MSG_MORE);
  rests[client] = (struct Rest){.fd = file.fd, .at = (off_t)first, .size = file.size};
  send_rest(client);
}

static void serve(int client) {
  char request[kRequestMax];
  send_rest(client);
  if (rests[client].size > 0) return;
  const ssize_t got = recv(client, request, sizeof(request) - 1, 0);
  if (got < 0) return;
  if (got == 0) {
    close(client);
    return;
  }
  request[got] = '\0';
  answer(client, request);
}

int main(int count, char** arguments) {
  if (count != 3) return 1;
  signal(SIGPIPE, SIG_IGN);  // as sendfile cannot be told to do without
  open_all(arguments[2]);
  const int on = 1;
  const int listener = socket(AF_INET, SOCK_STREAM | SOCK_NONBLOCK, 0);
  setsockopt(listener, SOL_SOCKET, SO_REUSEADDR, &on, sizeof(on));
  struct sockaddr_in address = {.sin_family = AF_INET, .sin_port = htons((unsigned short)atoi(arguments[1]))};
  address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
  if (bind(listener, (struct sockaddr*)&address, sizeof(address)) != 0 || listen(listener, 4096) != 0) return 1;
  const int loop = epoll_create1(0);
  struct epoll_event event = {.events = EPOLLIN, .data.fd = listener};
  epoll_ctl(loop, EPOLL_CTL_ADD, listener, &event);
  for (;;) {
    struct epoll_event events[kEvents];
    const int ready = epoll_wait(loop, events, kEvents, -1);
    for (int i = 0; i < ready; ++i) {
      if (events[i].data.fd != listener) {
        serve(events[i].data.fd);
        continue;
      }
      const int accepted = accept4(listener, NULL, NULL, SOCK_NONBLOCK);
      if (accepted < 0 || accepted >= kConnections) continue;
      setsockopt(accepted, IPPROTO_TCP, TCP_NODELAY, &on, sizeof(on));
      rests[accepted].size = 0;
      event = (struct epoll_event){.events = EPOLLIN | EPOLLOUT | EPOLLRDHUP | EPOLLET, .data.fd = accepted};
      epoll_ctl(loop, EPOLL_CTL_ADD, accepted, &event);
    }
  }
}
