// A module in C. It greets as its option says, streams lines, answers later by a timer, by a watched
// descriptor, by a thread and by what the server says of itself, adds up a request's body, and lends bytes.
#include <sluice_c.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/eventfd.h>
#include <unistd.h>

struct errand;

typedef struct {
  sluice_host* host;
  sluice_field_block* fields;
  sluice_holder holder;
  sluice_answered answered;
  struct errand* asking;  // the request that waits for the answer, or null
  uint32_t counter;
  unsigned lent;
} plain;

static sluice_bytes text(const char* chars) {
  return (sluice_bytes){chars, strlen(chars)};
}

static void give_back(void* self) {
  plain* handler = self;
  --handler->lent;
  sluice_release(handler->host);
}

static void answered(void* self, bool known, sluice_bytes text);

static void* create(sluice_host* host) {
  const sluice_bytes greeting = sluice_option_text(host, "greeting");
  if (greeting.size == 0) {
    sluice_reject(host, "it has nothing to say: give it a greeting");
    return NULL;
  }
  plain* handler = calloc(1, sizeof(*handler));
  if (handler == NULL) return NULL;
  const sluice_field line = {.name = text("X-Language"), .value = text("C")};
  handler->host = host;
  handler->fields = sluice_prepare_fields(host, &line, 1);
  handler->holder = (sluice_holder){.release = give_back, .self = handler};
  handler->answered = (sluice_answered){.answered = answered, .self = handler};
  handler->counter = sluice_counter(host, "requests");
  return handler;
}

static void destroy(void* self) {
  plain* handler = self;
  sluice_release_fields(handler->host, handler->fields);
  free(handler);
}

static void retire(void* self) {
  sluice_log(((plain*)self)->host, SLUICE_INFO, "the handler in C retires");
}

// "lines": one line after the other, as many as the option says.

typedef struct {
  uint64_t left;
  char line[32];
  size_t sent;
} lines;

static sluice_progress pump(void* self, sluice_sink* sink) {
  lines* body = self;
  while (body->left > 0) {
    snprintf(body->line, sizeof(body->line), "%llu to go\n", (unsigned long long)body->left);
    const sluice_bytes rest = {body->line + body->sent, strlen(body->line) - body->sent};
    const sluice_moved moved = sluice_write(sink, &rest, 1);
    if (moved.status == SLUICE_LOST) return SLUICE_FAILED;
    if (moved.size < rest.size) {
      body->sent += moved.size;
      return SLUICE_MORE;
    }
    body->sent = 0;
    --body->left;
  }
  return SLUICE_DONE;
}

static void stream_lines(plain* handler, sluice_exchange* exchange) {
  static const sluice_body functions = {.pump = pump, .destroy = free};
  lines* body = calloc(1, sizeof(*body));
  if (body == NULL) {
    sluice_fail(exchange, 503);
    return;
  }
  body->left = sluice_option_number(handler->host, "lines");
  sluice_stream(exchange, SLUICE_UNKNOWN_SIZE, &functions, body);
}

// "timer", "watch", "work", "ask" and a request's body use an errand: something that a task waits for. It is
// freed when neither the task nor the side that runs it needs it any more.

typedef struct errand {
  sluice_host* host;
  plain* handler;
  sluice_ticket ticket;
  unsigned users;
  sluice_timer timer;
  sluice_timer_id timer_id;
  sluice_watcher watcher;
  int fd;
  uint64_t sum;
  bool done;
} errand;

static void leave(void* self) {
  errand* it = self;
  if (--it->users > 0) return;
  if (it->handler->asking == it) it->handler->asking = NULL;
  if (it->fd >= 0) {
    sluice_unwatch(it->host, it->fd);
    close(it->fd);
  }
  if (it->timer_id.value != 0) sluice_cancel_timer(it->host, it->timer_id);
  free(it);
}

static void finish(void* self) {
  errand* it = self;
  it->done = true;
  sluice_resume(it->host, it->ticket);
}

// The server's first word on its health is "ready".
static void answered(void* self, bool known, sluice_bytes text) {
  errand* it = ((plain*)self)->asking;
  if (it == NULL) return;
  if (known && text.size >= 5) it->sum = memcmp(text.data, "ready", 5) == 0;
  finish(it);
}

static void fired(void* self) {
  ((errand*)self)->timer_id.value = 0;
  finish(self);
}

static void ready(void* self, uint32_t epoll_events) {
  errand* it = self;
  eventfd_t announced = 0;
  if ((epoll_events & EPOLLIN) != 0 && eventfd_read(it->fd, &announced) == 0) finish(it);
}

static void run(void* self) {
  ((errand*)self)->sum = 42;
}

static void done(void* self, bool ran) {
  if (ran) finish(self);
}

static uint64_t take(void* self, sluice_bytes piece) {
  errand* it = self;
  for (size_t i = 0; i < piece.size; ++i) it->sum += (unsigned char)piece.data[i];
  return piece.size;
}

static void resumed(void* self, sluice_exchange* exchange) {
  const errand* it = self;
  if (!it->done) return;
  char answer[64];
  snprintf(answer, sizeof(answer), "done, %llu\n", (unsigned long long)it->sum);
  sluice_send(exchange, text(answer));
}

static bool is(sluice_bytes path, const char* name) {
  return path.size == strlen(name) && memcmp(path.data, name, path.size) == 0;
}

// Starts the errand. False when it cannot be run.
static bool send_off(errand* it, sluice_exchange* exchange, sluice_bytes path) {
  static const sluice_work work = {.run = run, .done = done, .destroy = leave};
  static const sluice_reader reader = {.take = take, .end = finish, .destroy = leave};
  if (is(path, "timer")) {
    it->timer = (sluice_timer){.fired = fired, .self = it};
    it->timer_id = sluice_start_timer(it->host, 5, &it->timer);
    return true;
  }
  if (is(path, "watch")) {
    it->fd = eventfd(1, EFD_CLOEXEC | EFD_NONBLOCK);
    it->watcher = (sluice_watcher){.ready = ready, .self = it};
    return sluice_watch(it->host, it->fd, EPOLLIN, &it->watcher);
  }
  if (is(path, "ask")) {
    if (it->handler->asking != NULL) return false;
    it->handler->asking = it;
    return sluice_ask(it->host, "health", &it->handler->answered);
  }
  ++it->users;
  if (is(path, "work")) {
    if (sluice_offload(it->host, &work, it)) return true;
    --it->users;
    return false;
  }
  sluice_receive(exchange, &reader, it);
  return true;
}

static void answer_later(plain* handler, sluice_exchange* exchange, sluice_bytes path) {
  static const sluice_task functions = {.resumed = resumed, .destroy = leave};
  errand* it = calloc(1, sizeof(*it));
  if (it == NULL) {
    sluice_fail(exchange, 503);
    return;
  }
  it->host = handler->host;
  it->handler = handler;
  it->ticket = sluice_exchange_ticket(exchange);
  it->users = 1;
  it->fd = -1;
  sluice_defer(exchange, &functions, it);
  if (!send_off(it, exchange, path)) sluice_fail(exchange, 503);
}

static void greet(plain* handler, sluice_exchange* exchange) {
  char answer[256];
  const sluice_bytes greeting = sluice_option_text(handler->host, "greeting");
  const int size = snprintf(answer, sizeof(answer), "%.*s from C, %u lent\n", (int)greeting.size, greeting.data,
                            handler->lent);
  sluice_status(exchange, 203);
  sluice_add_field(exchange, text("Content-Type"), text("text/plain"));
  sluice_send(exchange, (sluice_bytes){answer, (size_t)size});
}

static void tell_shared(sluice_host* host, sluice_exchange* exchange) {
  const uint64_t sum = sluice_add_shared_number(host, text("n"), 20);
  const bool changed = sluice_change_shared_number(host, text("n"), sum, sum + 1) == SLUICE_CHANGED;
  const bool claimed = sluice_claim(host, text("c"), 1);
  const bool claimed_again = sluice_claim(host, text("c"), 1);
  char answer[128];
  snprintf(answer, sizeof(answer), "%llu %d %d %d %llu",
           (unsigned long long)sluice_shared_number(host, text("n")), changed, claimed, claimed_again,
           (unsigned long long)sluice_claims(host, text("c")));
  sluice_give_back(host, text("c"));
  sluice_send(exchange, text(answer));
}

static void handle(void* self, sluice_exchange* exchange) {
  plain* handler = self;
  const sluice_request* request = sluice_exchange_request(exchange);
  sluice_count(handler->host, handler->counter, 1);
  sluice_add_fields(exchange, handler->fields);
  if (request->method == SLUICE_POST || is(request->path, "timer") || is(request->path, "watch") ||
      is(request->path, "work") || is(request->path, "ask")) {
    answer_later(handler, exchange, request->path);
  } else if (request->path.size == 0) {
    greet(handler, exchange);
  } else if (is(request->path, "lines")) {
    stream_lines(handler, exchange);
  } else if (is(request->path, "kind")) {
    const bool json = sluice_exchange_prefers(exchange, text("application/json"), text("text/html"));
    sluice_send(exchange, text(request->arrived_ns == 0 ? "timeless" : json ? "json" : "html"));
  } else if (is(request->path, "shared")) {
    tell_shared(handler->host, exchange);
  } else if (is(request->path, "held")) {
    sluice_hold(handler->host);
    ++handler->lent;
    sluice_send_held(exchange, text("lent by C\n"), &handler->holder);
  } else {
    sluice_fail(exchange, 404);
  }
}

static const sluice_handler functions = {
    .create = create, .handle = handle, .retire = retire, .destroy = destroy};

static const sluice_option options[] = {
    {.name = "greeting", .type = SLUICE_TEXT, .fallback = "Hello", .help = "what to say"},
    {.name = "lines", .type = SLUICE_NUMBER, .fallback = "3", .help = "how many lines to stream"},
};

SLUICE_MODULE(functions, .name = "plain_c", .version = "1.0.0", .summary = "Is written in C",
              .default_mount = "/plain_c/", .options = options, .option_count = 2);
