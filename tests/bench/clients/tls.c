// Clients that speak TLS 1.3, each a thread with one connection at a time. None of them checks a certificate.
//
//     tls PORT full    CONNECTIONS SECONDS PATH   a new connection and a full handshake for each request
//     tls PORT resumed CONNECTIONS SECONDS PATH   the same, with the ticket that the connection before has brought
//     tls PORT discard CONNECTIONS SECONDS PATH   the same as full, but the kernel throws the records away (MSG_TRUNC,
//                                                 tcp(7)), so that deciphering them is no bound
//     tls PORT probe   CONNECTIONS SECONDS PATH   full, and beside it one kept connection that asks every two
//                                                 milliseconds and takes the time
//
// The end is a line of figures: requests, bytes, microseconds, errors, resumed handshakes; with probe also p50, p99 and
// max of the probe in microseconds, and its requests.
#define _GNU_SOURCE
#include <arpa/inet.h>
#include <netinet/tcp.h>
#include <openssl/ssl.h>
#include <pthread.h>
#include <sched.h>
#include <signal.h>
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <time.h>
#include <unistd.h>

enum { kClientsMax = 1024, kHeadMax = 4096, kProbesMax = 1 << 20, kPeriodNs = 2000000 };

static unsigned short port;
static const char* path;
static int resumes, discards;
static SSL_CTX* context;
static atomic_int stopping;
static atomic_ulong requests, bytes, errors, resumed;
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
  const struct timeval patience = {.tv_sec = 20};
  struct sockaddr_in address = {.sin_family = AF_INET, .sin_port = htons(port)};
  address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
  setsockopt(fd, SOL_SOCKET, SO_RCVTIMEO, &patience, sizeof(patience));
  setsockopt(fd, IPPROTO_TCP, TCP_NODELAY, &on, sizeof(on));
  if (connect(fd, (struct sockaddr*)&address, sizeof(address)) == 0) return fd;
  close(fd);
  return -1;
}

static SSL* shaken(int fd, SSL_SESSION* session) {
  SSL* ssl = SSL_new(context);
  SSL_set_fd(ssl, fd);
  SSL_set_tlsext_host_name(ssl, "localhost");
  if (session != NULL) SSL_set_session(ssl, session);
  if (SSL_connect(ssl) == 1) return ssl;
  SSL_free(ssl);
  return NULL;
}

static int ask(SSL* ssl, int closes) {
  char request[512];
  const int size = snprintf(request, sizeof(request), "GET %s HTTP/1.1\r\nHost: localhost\r\n%s\r\n", path,
                            closes ? "Connection: close\r\n" : "");
  return SSL_write(ssl, request, size) == size;
}

// Until the server closes. Its head tells whether the answer is one.
static int take_answer(SSL* ssl) {
  char buffer[16384];
  int first = 1;
  for (int got; (got = SSL_read(ssl, buffer, sizeof(buffer))) > 0; first = 0) {
    if (first && (got < 12 || memcmp(buffer, "HTTP/1.1 200", 12) != 0)) return 0;
    atomic_fetch_add(&bytes, (unsigned long)got);
  }
  return !first;
}

// Until the alert that nothing follows, which is the only record of its size (RFC 8446 section 5.2: level, description,
// type, and 16 bytes of the cipher), or until the server closes.
static int discard_answer(int fd) {
  unsigned char head[5];
  int records = 0;
  for (; !atomic_load(&stopping) && recv(fd, head, sizeof(head), MSG_WAITALL) == sizeof(head); ++records) {
    const size_t size = (size_t)head[3] * 256 + head[4];
    if (size == 19) break;
    for (size_t left = size; left > 0;) {
      const ssize_t got = recv(fd, NULL, left, MSG_TRUNC | MSG_WAITALL);
      if (got <= 0) return 0;
      left -= (size_t)got;
    }
    atomic_fetch_add(&bytes, size - 17);
  }
  return records > 0 || atomic_load(&stopping);
}

// One connection from beginning to end. `session` is used, and replaced by the one that it brings.
static int fetch(SSL_SESSION** session) {
  const int fd = connected();
  if (fd < 0) return 0;
  SSL* ssl = shaken(fd, *session);
  int good = ssl != NULL && ask(ssl, 1);
  if (good && SSL_session_reused(ssl)) atomic_fetch_add(&resumed, 1);
  good = good && (discards ? discard_answer(fd) : take_answer(ssl));
  if (good && resumes) {
    SSL_SESSION_free(*session);
    *session = SSL_get1_session(ssl);
  }
  if (ssl != NULL) {
    SSL_shutdown(ssl);
    SSL_free(ssl);
  }
  close(fd);
  return good;
}

static void* client(void* unused) {
  SSL_SESSION* session = NULL;
  (void)unused;
  // The first handshake is a full one, and is not counted.
  if (resumes && !fetch(&session)) atomic_fetch_add(&errors, 1);
  while (!atomic_load(&stopping)) atomic_fetch_add(fetch(&session) ? &requests : &errors, 1);
  SSL_SESSION_free(session);
  return NULL;
}

static int probe_once(SSL* ssl) {
  char buffer[kHeadMax];
  size_t got = 0, whole = 0;
  if (!ask(ssl, 0)) return 0;
  while (whole == 0 || got < whole) {
    const int size = SSL_read(ssl, buffer + got, (int)(sizeof(buffer) - 1 - got));
    if (size <= 0) return 0;
    got += (size_t)size;
    buffer[got] = '\0';
    const char* end = strstr(buffer, "\r\n\r\n");
    const char* length = strcasestr(buffer, "\r\nContent-Length:");
    if (end != NULL && length != NULL) whole = (size_t)(end - buffer) + 4 + strtoull(length + 17, NULL, 10);
  }
  return 1;
}

static void* probe(void* ssl) {
  struct timespec next;
  clock_gettime(CLOCK_MONOTONIC, &next);
  while (!atomic_load(&stopping) && probes < kProbesMax) {
    next.tv_nsec += kPeriodNs;
    if (next.tv_nsec >= 1000000000) {
      next.tv_nsec -= 1000000000;
      ++next.tv_sec;
    }
    clock_nanosleep(CLOCK_MONOTONIC, TIMER_ABSTIME, &next, NULL);
    const double start = now();
    if (!probe_once(ssl)) {
      atomic_fetch_add(&errors, 1);
      break;
    }
    latency[probes++] = now() - start;
    clock_gettime(CLOCK_MONOTONIC, &next);
  }
  return NULL;
}

// The one that takes the time does not wait for the others, if this process may say so.
static pthread_t start_probe(void) {
  pthread_t prober;
  pthread_attr_t attributes;
  const struct sched_param priority = {.sched_priority = 1};
  SSL* ssl = shaken(connected(), NULL);
  if (ssl == NULL || !probe_once(ssl)) {
    fprintf(stderr, "tls: the server does not answer\n");
    exit(1);
  }
  pthread_attr_init(&attributes);
  pthread_attr_setinheritsched(&attributes, PTHREAD_EXPLICIT_SCHED);
  pthread_attr_setschedpolicy(&attributes, SCHED_FIFO);
  pthread_attr_setschedparam(&attributes, &priority);
  if (pthread_create(&prober, &attributes, probe, ssl) != 0 && pthread_create(&prober, NULL, probe, ssl) != 0) exit(1);
  return prober;
}

static int by_size(const void* left, const void* right) {
  const double difference = *(const double*)left - *(const double*)right;
  return difference < 0 ? -1 : difference > 0;
}

static double quantile(double share) {
  return probes == 0 ? 0 : latency[(long)((double)(probes - 1) * share)] * 1e6;
}

int main(int count, char** arguments) {
  if (count != 6) return 1;
  port = (unsigned short)atoi(arguments[1]);
  resumes = strcmp(arguments[2], "resumed") == 0;
  discards = strcmp(arguments[2], "discard") == 0;
  const int probing = strcmp(arguments[2], "probe") == 0;
  const int clients = atoi(arguments[3]);
  path = arguments[5];
  if (clients > kClientsMax) return 1;
  signal(SIGPIPE, SIG_IGN);
  context = SSL_CTX_new(TLS_client_method());
  SSL_CTX_set_min_proto_version(context, TLS1_3_VERSION);
  SSL_CTX_set_session_cache_mode(context, SSL_SESS_CACHE_OFF);
  SSL_CTX_set_options(context, SSL_OP_IGNORE_UNEXPECTED_EOF);
  pthread_t threads[kClientsMax], prober;
  if (probing) prober = start_probe();
  const double began = now();
  for (int i = 0; i < clients; ++i) pthread_create(&threads[i], NULL, client, NULL);
  usleep((useconds_t)(atof(arguments[4]) * 1e6));
  atomic_store(&stopping, 1);
  const double seconds = now() - began;
  for (int i = 0; i < clients; ++i) pthread_join(threads[i], NULL);
  if (probing) pthread_join(prober, NULL);
  qsort(latency, (size_t)probes, sizeof(latency[0]), by_size);
  printf("FIGURES %lu %lu %.0f %lu %lu %.0f %.0f %.0f %ld\n", requests, bytes, seconds * 1e6, errors, resumed,
         quantile(0.5), quantile(0.99), quantile(1), probes);
  return 0;
}
