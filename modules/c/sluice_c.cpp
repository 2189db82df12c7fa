// Joins the tables of functions of a module in C to the classes of the interface.
#include <sluice_c.h>

#include <bit>
#include <new>

#include <sluice/filter.h>

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
static_assert(offsetof(sluice_module_info, create_filter) == offsetof(sluice::ModuleInfo, create_filter));
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
static_assert(SLUICE_NOTHING_FOLLOWS == static_cast<int>(sluice::Follows::nothing));
static_assert(SLUICE_CLOSED == static_cast<int>(sluice::Ending::closed));

// The author's object, and the table of its functions.
template <typename Functions>
class Owned {
 public:
  Owned(const Functions& functions, void* self) : functions_(functions), self_(self) {}
  ~Owned() {
    if (functions_.destroy != nullptr) functions_.destroy(self_);
  }
  Owned(const Owned&) = delete;
  Owned& operator=(const Owned&) = delete;

  const Functions* operator->() const { return &functions_; }
  void* self() const { return self_; }
  void give_up() { functions_.destroy = nullptr; }

 private:
  Functions functions_;
  void* self_;
};

// Types with the same layout are converted by copying their bytes.
sluice_bytes out(sluice::Bytes bytes) {
  return std::bit_cast<sluice_bytes>(bytes);
}
sluice::Bytes in(sluice_bytes bytes) {
  return std::bit_cast<sluice::Bytes>(bytes);
}

sluice_exchange* out(sluice::Exchange& exchange) {
  return reinterpret_cast<sluice_exchange*>(&exchange);
}
sluice::Exchange& in(sluice_exchange* exchange) {
  return *reinterpret_cast<sluice::Exchange*>(exchange);
}
sluice_sink* out(sluice::Sink& sink) {
  return reinterpret_cast<sluice_sink*>(&sink);
}
sluice::Sink& in(sluice_sink* sink) {
  return *reinterpret_cast<sluice::Sink*>(sink);
}
sluice_host* out(sluice::Host& host) {
  return reinterpret_cast<sluice_host*>(&host);
}
sluice::Host& in(sluice_host* host) {
  return *reinterpret_cast<sluice::Host*>(host);
}
sluice_answer_head* out(sluice::AnswerHead& head) {
  return reinterpret_cast<sluice_answer_head*>(&head);
}
sluice::AnswerHead& in(sluice_answer_head* head) {
  return *reinterpret_cast<sluice::AnswerHead*>(head);
}
const sluice::AnswerHead& in(const sluice_answer_head* head) {
  return *reinterpret_cast<const sluice::AnswerHead*>(head);
}
const sluice::Host& in(const sluice_host* host) {
  return *reinterpret_cast<const sluice::Host*>(host);
}

class CHandler final : public sluice::Handler {
 public:
  explicit CHandler(void* self) : owned_(*sluice_the_handler, self) {}
  void handle(sluice::Exchange& exchange) override { owned_->handle(owned_.self(), out(exchange)); }
  void retire() override {
    if (owned_->retire != nullptr) owned_->retire(owned_.self());
  }

 private:
  Owned<sluice_handler> owned_;
};

class CFilter final : public sluice::Filter {
 public:
  explicit CFilter(void* self) : owned_(*sluice_the_filter, self) {}
  void request(sluice::Exchange& exchange) override {
    if (owned_->request != nullptr) owned_->request(owned_.self(), out(exchange));
  }
  void answer(sluice::Exchange& exchange, sluice::AnswerHead& head) override {
    if (owned_->answer != nullptr) owned_->answer(owned_.self(), out(exchange), out(head));
  }
  void ended(sluice::Exchange& exchange, const sluice::Outcome& outcome) override {
    if (owned_->ended == nullptr) return;
    const auto seen = std::bit_cast<sluice_outcome>(outcome);
    owned_->ended(owned_.self(), out(exchange), &seen);
  }
  void retire() override {
    if (owned_->retire != nullptr) owned_->retire(owned_.self());
  }

 private:
  Owned<sluice_filter> owned_;
};

class CTransform final : public sluice::Transform {
 public:
  CTransform(const sluice_transform& functions, void* self) : owned_(functions, self) {}
  sluice::Passed pass(sluice::Bytes input, sluice::Follows follows, sluice::Sink& sink) override {
    return std::bit_cast<sluice::Passed>(
        owned_->pass(owned_.self(), out(input), static_cast<std::uint32_t>(follows), out(sink)));
  }

 private:
  Owned<sluice_transform> owned_;
};

class CBody final : public sluice::Body {
 public:
  CBody(const sluice_body& functions, void* self) : owned_(functions, self) {}
  sluice::Progress pump(sluice::Sink& sink) override {
    return static_cast<sluice::Progress>(owned_->pump(owned_.self(), out(sink)));
  }

 private:
  Owned<sluice_body> owned_;
};

class CTask final : public sluice::Task {
 public:
  CTask(const sluice_task& functions, void* self) : owned_(functions, self) {}
  void resumed(sluice::Exchange& exchange) override { owned_->resumed(owned_.self(), out(exchange)); }

 private:
  Owned<sluice_task> owned_;
};

class CReader final : public sluice::Reader {
 public:
  CReader(const sluice_reader& functions, void* self) : owned_(functions, self) {}
  std::uint64_t take(sluice::Bytes piece) override { return owned_->take(owned_.self(), out(piece)); }
  void end() override { owned_->end(owned_.self()); }

 private:
  Owned<sluice_reader> owned_;
};

class CWork final : public sluice::Work {
 public:
  CWork(const sluice_work& functions, void* self) : owned_(functions, self) {}
  void run() override { owned_->run(owned_.self()); }
  void done(bool ran) override { owned_->done(owned_.self(), ran); }
  void give_up() { owned_.give_up(); }

 private:
  Owned<sluice_work> owned_;
};

// These lie in the author's own struct. Its first member is room for the pointer to the table of methods.
class CHolder final : public sluice::Holder {
 public:
  explicit CHolder(const sluice_holder& holder) : release_(holder.release), self_(holder.self) {}
  void release() override { release_(self_); }

 private:
  void (*release_)(void*);
  void* self_;
};

class CWatcher final : public sluice::Watcher {
 public:
  explicit CWatcher(const sluice_watcher& watcher) : ready_(watcher.ready), self_(watcher.self) {}
  void ready(std::uint32_t epoll_events) override { ready_(self_, epoll_events); }

 private:
  void (*ready_)(void*, std::uint32_t);
  void* self_;
};

class CTimer final : public sluice::Timer {
 public:
  explicit CTimer(const sluice_timer& timer) : fired_(timer.fired), self_(timer.self) {}
  void fired() override { fired_(self_); }

 private:
  void (*fired_)(void*);
  void* self_;
};

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

}  // extern "C"
