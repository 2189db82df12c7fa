// The module interface for a handler or filter written in C: the same data, functions in place of methods, and
// tables of functions in place of classes. What <sluice/abi.h>, <sluice/handler.h> and <sluice/filter.h> say
// about threads, ownership and the life of views holds here as well. Only Shared is missing: handlers in C
// share nothing.
//
// A module is the author's C and sluice_c.cpp, linked into one .so. The author defines a sluice_handler and
// ends with
//
//     SLUICE_MODULE(my_handler, .name = "mine", .version = "1.0", .summary = "Greets",
//                   .default_mount = "/mine/");
//
// A filter is a sluice_filter and ends with SLUICE_FILTER.
//
// A body, task, reader or work that the server takes over is a pointer to anything, and the table of its
// functions. The server calls `destroy` once; if the object has not reached its end, that cancels it.
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#ifdef __cplusplus
extern "C" {
#endif

typedef struct sluice_exchange sluice_exchange;
typedef struct sluice_sink sluice_sink;
typedef struct sluice_host sluice_host;
typedef struct sluice_answer_head sluice_answer_head;
typedef struct sluice_field_block sluice_field_block;

// Plain data, laid out as in <sluice/abi.h>. The enumerators have the same numbers.

typedef struct sluice_bytes {
  const char* data;
  size_t size;
} sluice_bytes;

enum {
  SLUICE_METHOD_OTHER,
  SLUICE_GET,
  SLUICE_HEAD,
  SLUICE_POST,
  SLUICE_PUT,
  SLUICE_PATCH,
  SLUICE_DELETE,
  SLUICE_OPTIONS,
  SLUICE_TRACE,
  SLUICE_CONNECT
};

enum {
  SLUICE_FIELD_OTHER,
  SLUICE_FIELD_HOST,
  SLUICE_FIELD_CONNECTION,
  SLUICE_FIELD_CONTENT_LENGTH,
  SLUICE_FIELD_TRANSFER_ENCODING,
  SLUICE_FIELD_CONTENT_TYPE,
  SLUICE_FIELD_EXPECT,
  SLUICE_FIELD_TE,
  SLUICE_FIELD_UPGRADE,
  SLUICE_FIELD_ACCEPT,
  SLUICE_FIELD_ACCEPT_ENCODING,
  SLUICE_FIELD_ACCEPT_LANGUAGE,
  SLUICE_FIELD_AUTHORIZATION,
  SLUICE_FIELD_COOKIE,
  SLUICE_FIELD_IF_MATCH,
  SLUICE_FIELD_IF_NONE_MATCH,
  SLUICE_FIELD_IF_MODIFIED_SINCE,
  SLUICE_FIELD_IF_UNMODIFIED_SINCE,
  SLUICE_FIELD_IF_RANGE,
  SLUICE_FIELD_RANGE,
  SLUICE_FIELD_REFERER,
  SLUICE_FIELD_USER_AGENT
};

typedef struct sluice_field {
  sluice_bytes name;
  sluice_bytes value;
  uint32_t id;  // SLUICE_FIELD_...; requests only
  uint32_t reserved;
} sluice_field;

#define SLUICE_UNKNOWN_SIZE UINT64_MAX

typedef struct sluice_request {
  uint32_t size;
  uint32_t method;  // SLUICE_GET, ...
  uint32_t version;
  uint32_t field_count;
  const sluice_field* fields;
  sluice_bytes method_name;
  sluice_bytes target;
  sluice_bytes path;
  sluice_bytes mount;
  sluice_bytes query;
  uint64_t body_size;
  uint64_t arrived_ns;     // since 1.1
  sluice_bytes authority;  // since 1.2
  sluice_bytes scheme;     // since 1.2
} sluice_request;

typedef enum sluice_progress { SLUICE_DONE, SLUICE_MORE, SLUICE_PARKED, SLUICE_FAILED } sluice_progress;

enum { SLUICE_OK, SLUICE_FULL, SLUICE_SHORT_FILE, SLUICE_UNSUPPORTED, SLUICE_LOST };

typedef struct sluice_moved {
  uint64_t size;
  uint32_t status;
  uint32_t reserved;
} sluice_moved;

typedef struct sluice_ticket {
  uint64_t value;
} sluice_ticket;

typedef struct sluice_timer_id {
  uint64_t value;
} sluice_timer_id;

typedef struct sluice_folder {
  int32_t fd;
  uint32_t reserved;
  sluice_bytes path;
} sluice_folder;

typedef enum sluice_log_level { SLUICE_DEBUG, SLUICE_INFO, SLUICE_WARNING, SLUICE_ERROR } sluice_log_level;

enum { SLUICE_TEXT, SLUICE_NUMBER, SLUICE_SIZE, SLUICE_DURATION_MS, SLUICE_FLAG, SLUICE_CHOICE, SLUICE_LIST };

typedef struct sluice_option {
  const char* name;
  uint32_t type;
  uint32_t reserved;
  const char* fallback;  // required
  const char* help;      // required
  const char* choices;
} sluice_option;

// Since 1.2: what follows the input of a transform.
enum { SLUICE_INPUT_FOLLOWS, SLUICE_SILENCE_FOLLOWS, SLUICE_NOTHING_FOLLOWS };

typedef struct sluice_passed {
  uint64_t size;
  uint32_t progress;  // SLUICE_DONE, ...
  uint32_t reserved;
} sluice_passed;

// Since 1.2: what sluice_change_shared_number has done, why a worker is about to end, and what Peer::flags say.
enum { SLUICE_CHANGED, SLUICE_DIFFERS, SLUICE_NO_ROOM };
enum { SLUICE_REPLACED, SLUICE_STOPPING };
enum { SLUICE_PEER_BY_PROXY = 1, SLUICE_PEER_UNIX_SOCKET = 2, SLUICE_PEER_TLS_OF_PROXY = 4 };

enum { SLUICE_COMPLETE, SLUICE_CUT, SLUICE_LATE, SLUICE_CLIENT_LEFT, SLUICE_CLOSED };

typedef struct sluice_outcome {
  uint32_t size;
  uint32_t status;
  uint64_t sent;
  uint64_t took_ns;
  uint32_t ending;  // SLUICE_COMPLETE, ...
  uint32_t reserved;
} sluice_outcome;

typedef struct sluice_peer {
  uint32_t size;
  uint32_t port;
  uint32_t tls_version;
  uint32_t flags;  // SLUICE_PEER_...
  sluice_bytes address;
  sluice_bytes server_name;
  sluice_bytes certificate_subject;
  sluice_bytes certificate_fingerprint;
} sluice_peer;

// The functions that a module implements. Each that may be null says so.

typedef struct sluice_handler {
  void* (*create)(sluice_host* host);  // null refuses, as does sluice_reject
  void (*handle)(void* handler, sluice_exchange* exchange);
  void (*retire)(void* handler);   // may be null
  void (*destroy)(void* handler);  // may be null
  // Since 1.2, and may be null.
  void (*ended)(void* handler, sluice_exchange* exchange, const sluice_outcome* outcome);
  void (*leaving)(void* handler, uint32_t why);  // SLUICE_REPLACED, ...
} sluice_handler;

// Since 1.2.
typedef struct sluice_filter {
  void* (*create)(sluice_host* host);                        // null refuses, as does sluice_reject
  void (*request)(void* filter, sluice_exchange* exchange);  // may be null
  void (*answer)(void* filter, sluice_exchange* exchange, sluice_answer_head* head);      // may be null
  void (*ended)(void* filter, sluice_exchange* exchange, const sluice_outcome* outcome);  // may be null
  void (*retire)(void* filter);                                                           // may be null
  void (*destroy)(void* filter);                                                          // may be null
} sluice_filter;

typedef struct sluice_transform {
  sluice_passed (*pass)(void* transform, sluice_bytes input, uint32_t follows, sluice_sink* sink);
  void (*destroy)(void* transform);  // may be null, here and below
} sluice_transform;

typedef struct sluice_body {
  sluice_progress (*pump)(void* body, sluice_sink* sink);
  void (*destroy)(void* body);
} sluice_body;

typedef struct sluice_task {
  void (*resumed)(void* task, sluice_exchange* exchange);
  void (*destroy)(void* task);
} sluice_task;

typedef struct sluice_reader {
  uint64_t (*take)(void* reader, sluice_bytes piece);
  void (*end)(void* reader);
  void (*destroy)(void* reader);
} sluice_reader;

typedef struct sluice_work {
  void (*run)(void* work);  // on an offload thread
  void (*done)(void* work, bool ran);
  void (*destroy)(void* work);
} sluice_work;

// These belong to the module. They must stay where they are as long as the server may call them.

typedef struct sluice_holder {
  void* of_the_shim;
  void (*release)(void* self);
  void* self;
} sluice_holder;

typedef struct sluice_watcher {
  void* of_the_shim;
  void (*ready)(void* self, uint32_t epoll_events);
  void* self;
} sluice_watcher;

typedef struct sluice_timer {
  void* of_the_shim;
  void (*fired)(void* self);
  void* self;
} sluice_timer;

// Since 1.2.
typedef struct sluice_answered {
  void* of_the_shim;
  void (*answered)(void* self, bool known, sluice_bytes text);
  void* self;
} sluice_answered;

// Exchange
const sluice_request* sluice_exchange_request(const sluice_exchange* exchange);
sluice_bytes sluice_client_address(sluice_exchange* exchange);
void sluice_status(sluice_exchange* exchange, uint32_t code);
bool sluice_add_field(sluice_exchange* exchange, sluice_bytes name, sluice_bytes value);
void sluice_add_fields(sluice_exchange* exchange, const sluice_field_block* block);
void sluice_send(sluice_exchange* exchange, sluice_bytes content);
void sluice_send_held(sluice_exchange* exchange, sluice_bytes content, sluice_holder* holder);
void sluice_stream(sluice_exchange* exchange, uint64_t size, const sluice_body* functions, void* body);
void sluice_fail(sluice_exchange* exchange, uint32_t code);
void sluice_defer(sluice_exchange* exchange, const sluice_task* functions, void* task);
void sluice_receive(sluice_exchange* exchange, const sluice_reader* functions, void* reader);
sluice_ticket sluice_exchange_ticket(sluice_exchange* exchange);
// Since 1.1.
bool sluice_exchange_prefers(const sluice_exchange* exchange, sluice_bytes type, sluice_bytes usual);
// Since 1.2.
void sluice_pass(sluice_exchange* exchange);
void sluice_hand_over(sluice_exchange* exchange, sluice_bytes target);
bool sluice_note(sluice_exchange* exchange, sluice_bytes name, sluice_bytes value);
sluice_bytes sluice_noted(const sluice_exchange* exchange, sluice_bytes name);
bool sluice_early_hints(sluice_exchange* exchange, const sluice_field_block* block);
const sluice_peer* sluice_exchange_peer(sluice_exchange* exchange);
void sluice_tell_end(sluice_exchange* exchange);
bool sluice_offers_upgrade(const sluice_exchange* exchange, sluice_bytes protocol);
// False: `reader` and `body` were destroyed.
bool sluice_upgrade(sluice_exchange* exchange, sluice_bytes protocol, const sluice_reader* reader_functions,
                    void* reader, const sluice_body* body_functions, void* body);
bool sluice_is_explained(const sluice_exchange* exchange);
void sluice_explain(sluice_exchange* exchange, sluice_bytes decision);

// AnswerHead, since 1.2
uint32_t sluice_head_status(const sluice_answer_head* head);
uint64_t sluice_head_size(const sluice_answer_head* head);
uint32_t sluice_head_field_count(const sluice_answer_head* head);
sluice_field sluice_head_field_at(const sluice_answer_head* head, uint32_t index);
sluice_bytes sluice_head_field(const sluice_answer_head* head, sluice_bytes name);
bool sluice_head_add(sluice_answer_head* head, sluice_bytes name, sluice_bytes value);
bool sluice_head_set(sluice_answer_head* head, sluice_bytes name, sluice_bytes value);
void sluice_head_remove(sluice_answer_head* head, sluice_bytes name);
void sluice_head_set_status(sluice_answer_head* head, uint32_t code);
bool sluice_head_transform(sluice_answer_head* head, uint64_t size, const sluice_transform* functions,
                           void* transform);
bool sluice_head_replace(sluice_answer_head* head, uint64_t size, const sluice_body* functions, void* body);

// Sink
uint64_t sluice_room(const sluice_sink* sink);
sluice_moved sluice_write(sluice_sink* sink, const sluice_bytes* pieces, uint32_t count);
sluice_moved sluice_send_file(sluice_sink* sink, int fd, uint64_t offset, uint64_t size);
// Since 1.2.
bool sluice_add_trailer(sluice_sink* sink, sluice_bytes name, sluice_bytes value);

// Host
sluice_bytes sluice_mount(const sluice_host* host);
sluice_folder sluice_mount_folder(const sluice_host* host);
sluice_bytes sluice_option_text(const sluice_host* host, const char* name);
uint64_t sluice_option_number(const sluice_host* host, const char* name);
void sluice_reject(sluice_host* host, const char* why);
void sluice_log(sluice_host* host, sluice_log_level level, const char* message);
uint64_t sluice_now_ms(const sluice_host* host);
bool sluice_watch(sluice_host* host, int fd, uint32_t epoll_events, sluice_watcher* watcher);
void sluice_unwatch(sluice_host* host, int fd);
sluice_timer_id sluice_start_timer(sluice_host* host, uint64_t delay_ms, sluice_timer* timer);
void sluice_cancel_timer(sluice_host* host, sluice_timer_id timer);
// False: the queue is full, `work` was not destroyed and is still the caller's.
bool sluice_offload(sluice_host* host, const sluice_work* functions, void* work);
void sluice_resume(sluice_host* host, sluice_ticket ticket);
void sluice_hold(sluice_host* host);
void sluice_release(sluice_host* host);
uint32_t sluice_counter(sluice_host* host, const char* name);
void sluice_count(sluice_host* host, uint32_t counter, uint64_t by);
sluice_field_block* sluice_prepare_fields(sluice_host* host, const sluice_field* fields, uint32_t count);
void sluice_release_fields(sluice_host* host, sluice_field_block* block);
// Since 1.2.
sluice_timer_id sluice_start_periodic_timer(sluice_host* host, uint64_t period_ms, sluice_timer* timer);
// False: `to` is not answered.
bool sluice_ask(sluice_host* host, const char* question, sluice_answered* to);
uint64_t sluice_shared_number(sluice_host* host, sluice_bytes name);
uint32_t sluice_change_shared_number(sluice_host* host, sluice_bytes name, uint64_t from, uint64_t to);
uint64_t sluice_add_shared_number(sluice_host* host, sluice_bytes name, uint64_t by);
bool sluice_claim(sluice_host* host, sluice_bytes name, uint32_t max);
void sluice_give_back(sluice_host* host, sluice_bytes name);
uint64_t sluice_claims(sluice_host* host, sluice_bytes name);

// What SLUICE_MODULE fills in.

#define SLUICE_ABI_MAJOR 1
#define SLUICE_ABI_MINOR 2
#define SLUICE_LAYOUT_STAMP 700019283023717765u

// Since 1.2: what a module needs besides memory and the folders of its mounts, and the administrator has to
// grant.
enum {
  SLUICE_NEEDS_NETWORK = 1,
  SLUICE_NEEDS_LISTENING = 2,
  SLUICE_NEEDS_UNIX_SOCKETS = 4,
  SLUICE_NEEDS_PROGRAMS = 8,
  SLUICE_NEEDS_READING = 16,
  SLUICE_NEEDS_WRITING = 32,
  SLUICE_NEEDS_NEW_CODE = 64
};

typedef struct sluice_module_info {
  uint32_t size;
  uint32_t abi_major;
  uint32_t abi_minor;
  uint32_t option_count;
  uint64_t layout;
  const char* name;
  const char* version;
  const char* summary;
  const char* default_mount;
  const sluice_option* options;
  uint64_t option_stride;
  void* (*create)(void* host);
  void* (*create_shared)(void* host);
  void* (*create_filter)(void* host);
  uint32_t needs;  // since 1.2: SLUICE_NEEDS_NETWORK and so on, joined by |
  uint32_t reserved;
} sluice_module_info;

// A module defines both: one of them is null.
extern const sluice_handler* const sluice_the_handler;
extern const sluice_filter* const sluice_the_filter;
void* sluice_create_handler(void* host);
void* sluice_create_filter(void* host);

#define SLUICE_MODULE(handler, ...)                            \
  const sluice_handler* const sluice_the_handler = &(handler); \
  const sluice_filter* const sluice_the_filter = NULL;         \
  SLUICE_MODULE_INFO(.create = sluice_create_handler, __VA_ARGS__)

// Since 1.2.
#define SLUICE_FILTER(filter, ...)                          \
  const sluice_handler* const sluice_the_handler = NULL;    \
  const sluice_filter* const sluice_the_filter = &(filter); \
  SLUICE_MODULE_INFO(.create_filter = sluice_create_filter, __VA_ARGS__)

#define SLUICE_MODULE_INFO(...)                                                         \
  extern __attribute__((visibility("default"))) const sluice_module_info sluice_module; \
  const sluice_module_info sluice_module = {.size = sizeof(sluice_module_info),         \
                                            .abi_major = SLUICE_ABI_MAJOR,              \
                                            .abi_minor = SLUICE_ABI_MINOR,              \
                                            .layout = SLUICE_LAYOUT_STAMP,              \
                                            .option_stride = sizeof(sluice_option),     \
                                            __VA_ARGS__}

#ifdef __cplusplus
}
#endif
