// A filter in C: it refuses requests that ask for it, counts and marks the others, and writes their content in
// capitals, or a dot in its place.
#include <sluice_c.h>
#include <stdlib.h>
#include <string.h>

typedef struct {
  sluice_host* host;
  uint32_t ended;
} shouting;

static sluice_bytes text(const char* chars) {
  return (sluice_bytes){chars, strlen(chars)};
}

static void* create(sluice_host* host) {
  shouting* filter = calloc(1, sizeof(*filter));
  if (filter == NULL) return NULL;
  filter->host = host;
  filter->ended = sluice_counter(host, "ended");
  return filter;
}

static void request(void* self, sluice_exchange* exchange) {
  (void)self;
  const sluice_request* asked = sluice_exchange_request(exchange);
  sluice_note(exchange, text("scheme"), asked->scheme);
  if (asked->query.size == 4 && memcmp(asked->query.data, "stop", 4) == 0) sluice_fail(exchange, 403);
  if (asked->query.size == 2 && memcmp(asked->query.data, "go", 2) == 0)
    sluice_hand_over(exchange, text("/hello/"));
}

static sluice_passed shout(void* self, sluice_bytes input, uint32_t follows, sluice_sink* sink) {
  (void)self, (void)follows;
  char piece[256];
  const size_t room = (size_t)sluice_room(sink);
  size_t size = input.size < sizeof(piece) ? input.size : sizeof(piece);
  if (size > room) size = room;
  for (size_t i = 0; i < size; ++i) {
    const char byte = input.data[i];
    piece[i] = (char)(byte >= 'a' && byte <= 'z' ? byte - 32 : byte);
  }
  const sluice_bytes written = {piece, size};
  const sluice_moved moved = sluice_write(sink, &written, 1);
  return (sluice_passed){.size = moved.size, .progress = moved.size < input.size ? SLUICE_MORE : SLUICE_DONE};
}

// Writes a dot. There is no state, so it has written none before.
static sluice_progress dot(void* self, sluice_sink* sink) {
  (void)self;
  const sluice_bytes written = text(".");
  return sluice_write(sink, &written, 1).size == 1 ? SLUICE_DONE : SLUICE_MORE;
}

static void answer(void* self, sluice_exchange* exchange, sluice_answer_head* head) {
  static const sluice_transform in_capitals = {.pass = shout};
  (void)self;
  static const sluice_body a_dot = {.pump = dot};
  const sluice_bytes query = sluice_exchange_request(exchange)->query;
  sluice_head_set(head, text("X-Scheme"), sluice_noted(exchange, text("scheme")));
  if (query.size == 3 && memcmp(query.data, "dot", 3) == 0) {
    sluice_head_replace(head, 1, &a_dot, NULL);
    return;
  }
  sluice_head_transform(head, sluice_head_size(head), &in_capitals, NULL);
}

static void ended(void* self, sluice_exchange* exchange, const sluice_outcome* outcome) {
  shouting* filter = self;
  (void)exchange;
  if (outcome->ending == SLUICE_COMPLETE) sluice_count(filter->host, filter->ended, 1);
}

static const sluice_filter filter = {
    .create = create, .request = request, .answer = answer, .ended = ended, .destroy = free};

SLUICE_FILTER(filter, .name = "filter_c", .version = "1.0", .summary = "Writes in capitals");
