// Joins the tables of functions of a module in C to the classes of the interface.
#include <sluice_c.h>

#include <bit>
#include <new>

#include <sluice_c_classes.h>

namespace {

static_assert(SLUICE_ABI_MAJOR == sluice::kAbiMajor && SLUICE_ABI_MINOR == sluice::kAbiMinor);
static_assert(SLUICE_LAYOUT_STAMP == sluice::layout_stamp());
static_assert(SLUICE_UNKNOWN_SIZE == sluice::kUnknownSize);
static_assert(sizeof(sluice_field) == sizeof(sluice::Field) && sizeof(sluice_folder) == sizeof(sluice::Folder));
static_assert(sizeof(sluice_request) == sizeof(sluice::Request));
static_assert(offsetof(sluice_request, scheme) == offsetof(sluice::Request, scheme));
static_assert(sizeof(sluice_option) == sizeof(sluice::OptionInfo));
static_assert(offsetof(sluice_option, choices) == offsetof(sluice::OptionInfo, choices));
static_assert(sizeof(sluice_module_info) == sizeof(sluice::ModuleInfo));
static_assert(offsetof(sluice_module_info, needs) == offsetof(sluice::ModuleInfo, needs));
static_assert(SLUICE_NEEDS_NETWORK == int{sluice::kNeedsNetwork} &&
              SLUICE_NEEDS_NEW_CODE == int{sluice::kNeedsNewCode});
static_assert(SLUICE_DELETE == static_cast<int>(sluice::Method::del));
static_assert(SLUICE_CONNECT == static_cast<int>(sluice::Method::connect));
static_assert(SLUICE_FIELD_IF_MATCH == static_cast<int>(sluice::FieldId::if_match));
static_assert(SLUICE_FIELD_USER_AGENT == static_cast<int>(sluice::FieldId::user_agent));
static_assert(SLUICE_FAILED == static_cast<int>(sluice::Progress::failed));
static_assert(SLUICE_LOST == static_cast<int>(sluice::Io::lost));
static_assert(SLUICE_ERROR == static_cast<int>(sluice::LogLevel::error));
static_assert(SLUICE_LIST == static_cast<int>(sluice::OptionType::list));
static_assert(sizeof(sluice_passed) == sizeof(sluice::Passed) &&
              sizeof(sluice_outcome) == sizeof(sluice::Outcome));
static_assert(offsetof(sluice_outcome, ending) == offsetof(sluice::Outcome, ending));
static_assert(sizeof(sluice_peer) == sizeof(sluice::Peer) &&
              offsetof(sluice_peer, certificate_fingerprint) ==
                  offsetof(sluice::Peer, certificate_fingerprint));
static_assert(SLUICE_NOTHING_FOLLOWS == static_cast<int>(sluice::Follows::nothing));
static_assert(SLUICE_NO_ROOM == static_cast<int>(sluice::Changed::no_room));
static_assert(SLUICE_STOPPING == static_cast<int>(sluice::Leaving::stopping));
static_assert(SLUICE_PEER_BY_PROXY == int{sluice::kPeerByProxy} &&
              SLUICE_PEER_UNIX_SOCKET == int{sluice::kPeerUnixSocket});
static_assert(SLUICE_CLOSED == static_cast<int>(sluice::Ending::closed));

template <typename Class, typename Struct>
Class& in_place(Struct* place) {
  static_assert(sizeof(Class) == sizeof(Struct) && alignof(Class) == alignof(Struct));
  const Struct asked = *place;
  return *new (place) Class(asked);
}

}  // namespace

extern "C" {

void* sluice_create_handler(void* opaque) {
  void* const self = sluice_the_handler->create(out(*static_cast<sluice::Host*>(opaque)));
  return self == nullptr ? nullptr : static_cast<sluice::Handler*>(new CHandler(self));
}

void* sluice_create_filter(void* opaque) {
  void* const self = sluice_the_filter->create(out(*static_cast<sluice::Host*>(opaque)));
  return self == nullptr ? nullptr : static_cast<sluice::Filter*>(new CFilter(self));
}

const sluice_request* sluice_exchange_request(const sluice_exchange* exchange) {
  const auto& request = reinterpret_cast<const sluice::Exchange*>(exchange)->request();
  return reinterpret_cast<const sluice_request*>(&request);
}
sluice_bytes sluice_client_address(sluice_exchange* exchange) {
  return out(in(exchange).client_address());
}
void sluice_status(sluice_exchange* exchange, uint32_t code) {
  in(exchange).status(code);
}
bool sluice_add_field(sluice_exchange* exchange, sluice_bytes name, sluice_bytes value) {
  return in(exchange).field(in(name), in(value));
}
void sluice_add_fields(sluice_exchange* exchange, const sluice_field_block* block) {
  if (block != nullptr) in(exchange).fields(*reinterpret_cast<const sluice::FieldBlock*>(block));
}
void sluice_send(sluice_exchange* exchange, sluice_bytes content) {
  in(exchange).send(in(content));
}
void sluice_send_held(sluice_exchange* exchange, sluice_bytes content, sluice_holder* holder) {
  in(exchange).send_held(in(content), in_place<CHolder>(holder));
}
void sluice_stream(sluice_exchange* exchange, uint64_t size, const sluice_body* functions, void* body) {
  in(exchange).stream(size, new CBody(*functions, body));
}
void sluice_fail(sluice_exchange* exchange, uint32_t code) {
  in(exchange).fail(code);
}
void sluice_defer(sluice_exchange* exchange, const sluice_task* functions, void* task) {
  in(exchange).defer(new CTask(*functions, task));
}
void sluice_receive(sluice_exchange* exchange, const sluice_reader* functions, void* reader) {
  in(exchange).receive(new CReader(*functions, reader));
}
sluice_ticket sluice_exchange_ticket(sluice_exchange* exchange) {
  return std::bit_cast<sluice_ticket>(in(exchange).ticket());
}
bool sluice_exchange_prefers(const sluice_exchange* exchange, sluice_bytes type, sluice_bytes usual) {
  return reinterpret_cast<const sluice::Exchange*>(exchange)->prefers(in(type), in(usual));
}

void sluice_pass(sluice_exchange* exchange) {
  in(exchange).pass();
}
void sluice_hand_over(sluice_exchange* exchange, sluice_bytes target) {
  in(exchange).hand_over(in(target));
}
bool sluice_note(sluice_exchange* exchange, sluice_bytes name, sluice_bytes value) {
  return in(exchange).note(in(name), in(value));
}
sluice_bytes sluice_noted(const sluice_exchange* exchange, sluice_bytes name) {
  return out(reinterpret_cast<const sluice::Exchange*>(exchange)->noted(in(name)));
}

bool sluice_early_hints(sluice_exchange* exchange, const sluice_field_block* block) {
  return block != nullptr && in(exchange).early_hints(*reinterpret_cast<const sluice::FieldBlock*>(block));
}

const sluice_peer* sluice_exchange_peer(sluice_exchange* exchange) {
  return reinterpret_cast<const sluice_peer*>(&in(exchange).peer());
}
void sluice_tell_end(sluice_exchange* exchange) {
  in(exchange).tell_end();
}
bool sluice_offers_upgrade(const sluice_exchange* exchange, sluice_bytes protocol) {
  return reinterpret_cast<const sluice::Exchange*>(exchange)->offers_upgrade(in(protocol));
}
bool sluice_upgrade(sluice_exchange* exchange, sluice_bytes protocol, const sluice_reader* reader_functions,
                    void* reader, const sluice_body* body_functions, void* body) {
  return in(exchange).upgrade(in(protocol), new CReader(*reader_functions, reader),
                              new CBody(*body_functions, body));
}
bool sluice_is_explained(const sluice_exchange* exchange) {
  return reinterpret_cast<const sluice::Exchange*>(exchange)->is_explained();
}
void sluice_explain(sluice_exchange* exchange, sluice_bytes decision) {
  in(exchange).explain(in(decision));
}

uint32_t sluice_head_status(const sluice_answer_head* head) {
  return in(head).status();
}
uint64_t sluice_head_size(const sluice_answer_head* head) {
  return in(head).size();
}
uint32_t sluice_head_field_count(const sluice_answer_head* head) {
  return in(head).field_count();
}
sluice_field sluice_head_field_at(const sluice_answer_head* head, uint32_t index) {
  return std::bit_cast<sluice_field>(in(head).field_at(index));
}
sluice_bytes sluice_head_field(const sluice_answer_head* head, sluice_bytes name) {
  return out(in(head).field(in(name)));
}
bool sluice_head_add(sluice_answer_head* head, sluice_bytes name, sluice_bytes value) {
  return in(head).add(in(name), in(value));
}
bool sluice_head_set(sluice_answer_head* head, sluice_bytes name, sluice_bytes value) {
  return in(head).set(in(name), in(value));
}
void sluice_head_remove(sluice_answer_head* head, sluice_bytes name) {
  in(head).remove(in(name));
}
void sluice_head_set_status(sluice_answer_head* head, uint32_t code) {
  in(head).set_status(code);
}
bool sluice_head_transform(sluice_answer_head* head, uint64_t size, const sluice_transform* functions,
                           void* transform) {
  return in(head).transform(size, new CTransform(*functions, transform));
}
bool sluice_head_replace(sluice_answer_head* head, uint64_t size, const sluice_body* functions, void* body) {
  return in(head).replace(size, new CBody(*functions, body));
}

uint64_t sluice_room(const sluice_sink* sink) {
  return reinterpret_cast<const sluice::Sink*>(sink)->room();
}
sluice_moved sluice_write(sluice_sink* sink, const sluice_bytes* pieces, uint32_t count) {
  return std::bit_cast<sluice_moved>(in(sink).write(reinterpret_cast<const sluice::Bytes*>(pieces), count));
}
sluice_moved sluice_send_file(sluice_sink* sink, int fd, uint64_t offset, uint64_t size) {
  return std::bit_cast<sluice_moved>(in(sink).send_file(fd, offset, size));
}

bool sluice_add_trailer(sluice_sink* sink, sluice_bytes name, sluice_bytes value) {
  return in(sink).trailer(in(name), in(value));
}

sluice_bytes sluice_mount(const sluice_host* host) {
  return out(in(host).mount());
}
sluice_folder sluice_mount_folder(const sluice_host* host) {
  return std::bit_cast<sluice_folder>(in(host).folder());
}
sluice_bytes sluice_option_text(const sluice_host* host, const char* name) {
  return out(in(host).option(name));
}
uint64_t sluice_option_number(const sluice_host* host, const char* name) {
  return in(host).number(name);
}
void sluice_reject(sluice_host* host, const char* why) {
  in(host).reject(why);
}
void sluice_log(sluice_host* host, sluice_log_level level, const char* message) {
  in(host).log(static_cast<sluice::LogLevel>(level), message);
}
uint64_t sluice_now_ms(const sluice_host* host) {
  return in(host).now_ms();
}
bool sluice_watch(sluice_host* host, int fd, uint32_t epoll_events, sluice_watcher* watcher) {
  return in(host).watch(fd, epoll_events, in_place<CWatcher>(watcher));
}
void sluice_unwatch(sluice_host* host, int fd) {
  in(host).unwatch(fd);
}
sluice_timer_id sluice_start_timer(sluice_host* host, uint64_t delay_ms, sluice_timer* timer) {
  return std::bit_cast<sluice_timer_id>(in(host).timer(delay_ms, in_place<CTimer>(timer)));
}
void sluice_cancel_timer(sluice_host* host, sluice_timer_id timer) {
  in(host).cancel(std::bit_cast<sluice::TimerId>(timer));
}
bool sluice_offload(sluice_host* host, const sluice_work* functions, void* work) {
  auto* taken = new CWork(*functions, work);
  if (in(host).offload(taken)) return true;
  taken->give_up();
  delete taken;
  return false;
}
void sluice_resume(sluice_host* host, sluice_ticket ticket) {
  in(host).resume(std::bit_cast<sluice::Ticket>(ticket));
}
void sluice_hold(sluice_host* host) {
  in(host).hold();
}
void sluice_release(sluice_host* host) {
  in(host).release();
}
uint32_t sluice_counter(sluice_host* host, const char* name) {
  return in(host).counter(name);
}
void sluice_count(sluice_host* host, uint32_t counter, uint64_t by) {
  in(host).count(counter, by);
}
sluice_field_block* sluice_prepare_fields(sluice_host* host, const sluice_field* fields, uint32_t count) {
  auto* block = in(host).prepare_fields(reinterpret_cast<const sluice::Field*>(fields), count);
  return reinterpret_cast<sluice_field_block*>(block);
}
void sluice_release_fields(sluice_host* host, sluice_field_block* block) {
  in(host).release_fields(reinterpret_cast<sluice::FieldBlock*>(block));
}

sluice_timer_id sluice_start_periodic_timer(sluice_host* host, uint64_t period_ms, sluice_timer* timer) {
  return std::bit_cast<sluice_timer_id>(in(host).every(period_ms, in_place<CTimer>(timer)));
}
bool sluice_ask(sluice_host* host, const char* question, sluice_answered* to) {
  return in(host).ask(question, in_place<CAnswered>(to));
}
uint64_t sluice_shared_number(sluice_host* host, sluice_bytes name) {
  return in(host).shared_number(in(name));
}
uint32_t sluice_change_shared_number(sluice_host* host, sluice_bytes name, uint64_t from, uint64_t to) {
  return static_cast<uint32_t>(in(host).change_shared_number(in(name), from, to));
}
uint64_t sluice_add_shared_number(sluice_host* host, sluice_bytes name, uint64_t by) {
  return in(host).add_shared_number(in(name), by);
}
bool sluice_claim(sluice_host* host, sluice_bytes name, uint32_t max) {
  return in(host).claim(in(name), max);
}
void sluice_give_back(sluice_host* host, sluice_bytes name) {
  in(host).give_back(in(name));
}
uint64_t sluice_claims(sluice_host* host, sluice_bytes name) {
  return in(host).claims(in(name));
}

}  // extern "C"
