// The classes of the interface on top of the author's tables of functions. Only sluice_c.cpp includes it.
#pragma once

#include "sluice_c.h"

#include <bit>

#include <sluice/filter.h>

namespace {

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
inline sluice_bytes out(sluice::Bytes bytes) {
  return std::bit_cast<sluice_bytes>(bytes);
}
inline sluice::Bytes in(sluice_bytes bytes) {
  return std::bit_cast<sluice::Bytes>(bytes);
}

inline sluice_exchange* out(sluice::Exchange& exchange) {
  return reinterpret_cast<sluice_exchange*>(&exchange);
}
inline sluice::Exchange& in(sluice_exchange* exchange) {
  return *reinterpret_cast<sluice::Exchange*>(exchange);
}
inline sluice_sink* out(sluice::Sink& sink) {
  return reinterpret_cast<sluice_sink*>(&sink);
}
inline sluice::Sink& in(sluice_sink* sink) {
  return *reinterpret_cast<sluice::Sink*>(sink);
}
inline sluice_host* out(sluice::Host& host) {
  return reinterpret_cast<sluice_host*>(&host);
}
inline sluice::Host& in(sluice_host* host) {
  return *reinterpret_cast<sluice::Host*>(host);
}
inline sluice_answer_head* out(sluice::AnswerHead& head) {
  return reinterpret_cast<sluice_answer_head*>(&head);
}
inline sluice::AnswerHead& in(sluice_answer_head* head) {
  return *reinterpret_cast<sluice::AnswerHead*>(head);
}
inline const sluice::AnswerHead& in(const sluice_answer_head* head) {
  return *reinterpret_cast<const sluice::AnswerHead*>(head);
}
inline const sluice::Host& in(const sluice_host* host) {
  return *reinterpret_cast<const sluice::Host*>(host);
}

class CHandler final : public sluice::Handler {
 public:
  explicit CHandler(void* self) : owned_(*sluice_the_handler, self) {}
  void handle(sluice::Exchange& exchange) override { owned_->handle(owned_.self(), out(exchange)); }
  void retire() override {
    if (owned_->retire != nullptr) owned_->retire(owned_.self());
  }
  void ended(sluice::Exchange& exchange, const sluice::Outcome& outcome) override {
    if (owned_->ended == nullptr) return;
    const auto seen = std::bit_cast<sluice_outcome>(outcome);
    owned_->ended(owned_.self(), out(exchange), &seen);
  }
  void leaving(sluice::Leaving why) override {
    if (owned_->leaving != nullptr) owned_->leaving(owned_.self(), static_cast<uint32_t>(why));
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

class CAnswered final : public sluice::Answered {
 public:
  explicit CAnswered(const sluice_answered& to) : answered_(to.answered), self_(to.self) {}
  void answered(bool known, sluice::Bytes text) override { answered_(self_, known, out(text)); }

 private:
  void (*answered_)(void*, bool, sluice_bytes);
  void* self_;
};

}  // namespace
