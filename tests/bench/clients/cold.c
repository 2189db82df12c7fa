// Clients that fetch cold files, and one beside them that asks for a hot one every two milliseconds and takes the time.
//
//     cold PORT STREAMS FILES HOT_SECONDS
//
// Fetches /cold/0.bin … once each, with so many connections; without any of them it only probes, for so many seconds.
// The end is a line of figures: p50 p99 p99.9 max of the probe in microseconds, bytes, seconds, errors, probes.
#define _GNU_SOURCE
#include <arpa/inet.h>
#include <netinet/tcp.h>
#include <pthread.h>
#include <sched.h>
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/socket.h>
#include <time.h>
#include <unistd.h>

enum { kStreamsMax = 1024, kHeadMax = 4096, kProbesMax = 1 << 20, kDiscard = 1 << 20, kPeriodNs = 2000000 };

static unsigned short port;
static atomic_int stopping;
static atomic_long errors;
static double latency[kProbesMax];
static long probes;

static double now(void) {
  struct timespec time;
  clock_gettime(CLOCK_MONOTONIC, &time);
  return (double)time.tv_sec + (double)time.tv_nsec / 1e9;
}

static int connected(void) {
  const int on = 1;
  const int fd = socket(AF_INET, SOCK_STREAM, 0);
  struct sockaddr_in address = {.sin_family = AF_INET, .sin_port = htons(port)};
  address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
  if (connect(fd, (struct sockaddr*)&address, sizeof(address)) != 0) {
    perror("connect");
    exit(1);
  }
  setsockopt(fd, IPPROTO_TCP, TCP_NODELAY, &on, sizeof(on));
  return fd;
}

// The size of the whole answer, as soon as its head is there; 0 before.
static size_t answer_size(const char* head, size_t got) {
  const char* end = memmem(head, got, "\r\n\r\n", 4);
  const char* length = end == NULL ? NULL : strcasestr(head, "\r\nContent-Length: ");
  if (length == NULL || length > end) return 0;
  return (size_t)(end - head) + 4 + strtoull(length + 18, NULL, 10);
}

static void* probe(void* unused) {
  (void)unused;
  static const char kRequest[] = "GET /1k.bin HTTP/1.1\r\nHost: a\r\n\r\n";
  const int fd = connected();
  struct timespec next;
  clock_gettime(CLOCK_MONOTONIC, &next);
  while (!atomic_load(&stopping) && probes < kProbesMax) {
    next.tv_nsec += kPeriodNs;
    if (next.tv_nsec >= 1000000000) {
      next.tv_nsec -= 1000000000;
      ++next.tv_sec;
    }
    clock_nanosleep(CLOCK_MONOTONIC, TIMER_ABSTIME, &next, NULL);
    char buffer[kHeadMax];
    size_t got = 0;
    size_t whole = 0;
    const double start = now();
    if (send(fd, kRequest, sizeof(kRequest) - 1, MSG_NOSIGNAL) < 0) break;
    while (whole == 0 || got < whole) {
      const ssize_t size = recv(fd, buffer + got, sizeof(buffer) - 1 - got, 0);
      if (size <= 0) {
        atomic_fetch_add(&errors, 1);
        return NULL;
      }
      got += (size_t)size;
      buffer[got] = '\0';
      whole = answer_size(buffer, got);
    }
    latency[probes++] = now() - start;
    clock_gettime(CLOCK_MONOTONIC, &next);
  }
  close(fd);
  return NULL;
}

struct Stream {
  int fd;
  char head[kHeadMax];
  size_t got;
  size_t whole;
};

static int next_file;
static int files;

static int ask(struct Stream* stream) {
  if (next_file == files) return 0;
  char request[128];
  const int size = snprintf(request, sizeof(request), "GET /cold/%d.bin HTTP/1.1\r\nHost: a\r\n\r\n", next_file++);
  stream->got = stream->whole = 0;
  return send(stream->fd, request, (size_t)size, MSG_NOSIGNAL) == size;
}

// Takes what has come; the content is thrown away by the kernel.
static ssize_t take(struct Stream* stream) {
  ssize_t size;
  if (stream->whole == 0) {
    size = recv(stream->fd, stream->head + stream->got, sizeof(stream->head) - 1 - stream->got, MSG_DONTWAIT);
    if (size > 0) {
      stream->got += (size_t)size;
      stream->head[stream->got] = '\0';
      stream->whole = answer_size(stream->head, stream->got);
    }
  } else {
    size_t left = stream->whole - stream->got;
    size = recv(stream->fd, NULL, left < kDiscard ? left : kDiscard, MSG_DONTWAIT | MSG_TRUNC);
    if (size > 0) stream->got += (size_t)size;
  }
  return size;
}

static double fetch_all(int streams) {
  static struct Stream all[kStreamsMax];
  const int loop = epoll_create1(0);
  double bytes = 0;
  int open = 0;
  for (int i = 0; i < streams; ++i) {
    all[i].fd = connected();
    struct epoll_event event = {.events = EPOLLIN, .data.ptr = &all[i]};
    epoll_ctl(loop, EPOLL_CTL_ADD, all[i].fd, &event);
    open += ask(&all[i]);
  }
  while (open > 0) {
    struct epoll_event events[64];
    const int ready = epoll_wait(loop, events, 64, 20000);
    if (ready <= 0) {
      atomic_fetch_add(&errors, open);
      break;
    }
    for (int i = 0; i < ready; ++i) {
      struct Stream* stream = events[i].data.ptr;
      const ssize_t size = take(stream);
      if (size == 0) {
        atomic_fetch_add(&errors, 1);
        epoll_ctl(loop, EPOLL_CTL_DEL, stream->fd, NULL);
        --open;
      } else if (size > 0) {
        bytes += (double)size;
        if (stream->whole != 0 && stream->got == stream->whole && !ask(stream)) {
          epoll_ctl(loop, EPOLL_CTL_DEL, stream->fd, NULL);
          --open;
        }
      }
    }
  }
  return bytes;
}

static int by_size(const void* left, const void* right) {
  const double difference = *(const double*)left - *(const double*)right;
  return difference < 0 ? -1 : difference > 0;
}

static double quantile(double share) {
  return probes == 0 ? 0 : latency[(long)((double)(probes - 1) * share)] * 1e6;
}

int main(int count, char** arguments) {
  if (count != 5) return 1;
  port = (unsigned short)atoi(arguments[1]);
  const int streams = atoi(arguments[2]);
  files = atoi(arguments[3]);
  // The one that takes the time does not wait for those that fetch.
  pthread_t prober;
  pthread_attr_t attributes;
  const struct sched_param priority = {.sched_priority = 1};
  pthread_attr_init(&attributes);
  pthread_attr_setinheritsched(&attributes, PTHREAD_EXPLICIT_SCHED);
  pthread_attr_setschedpolicy(&attributes, SCHED_FIFO);
  pthread_attr_setschedparam(&attributes, &priority);
  if (pthread_create(&prober, &attributes, probe, NULL) != 0 && pthread_create(&prober, NULL, probe, NULL) != 0) return 1;
  const double start = now();
  double bytes = 0;
  if (streams > 0) {
    bytes = fetch_all(streams);
  } else {
    sleep((unsigned)atoi(arguments[4]));
  }
  const double seconds = now() - start;
  atomic_store(&stopping, 1);
  pthread_join(prober, NULL);
  qsort(latency, (size_t)probes, sizeof(latency[0]), by_size);
  printf("FIGURES %.0f %.0f %.0f %.0f %.0f %.6f %ld %ld\n", quantile(0.5), quantile(0.99), quantile(0.999), quantile(1),
         bytes, seconds, atomic_load(&errors), probes);
}
