#include "support/fake_host.h"

#include <sys/epoll.h>
#include <sys/eventfd.h>
#include <unistd.h>

#include <algorithm>
#include <cstdio>
#include <cstdlib>

#include "http/http_fields.h"

namespace sluice::test {
namespace {

constexpr int kThreads = 3;

std::uint64_t steady_ms() {
  using namespace std::chrono;
  return static_cast<std::uint64_t>(
      duration_cast<milliseconds>(steady_clock::now().time_since_epoch()).count());
}

}  // namespace

FakeServer::FakeServer()
    : epoll_fd_(epoll_create1(EPOLL_CLOEXEC)), event_fd_(eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK)) {
  epoll_event event{};
  event.events = EPOLLIN;
  event.data.fd = event_fd_;
  epoll_ctl(epoll_fd_, EPOLL_CTL_ADD, event_fd_, &event);
  read_clock();
  for (int i = 0; i < kThreads; ++i) threads_.emplace_back([this] { run_thread(); });
}

FakeServer::~FakeServer() {
  pause_offload(false);
  run_until([this] { return offload_idle(); });
  {
    const std::lock_guard lock(mutex_);
    stopping_ = true;
  }
  wanted_.notify_all();
  for (std::thread& thread : threads_) thread.join();
  if (works_out_ != 0) violation("work was left");
  if (!driven_.empty()) violation("an exchange was left");
  if (field_blocks_out != 0) violation("field blocks were left: " + std::to_string(field_blocks_out));
  close(epoll_fd_);
  close(event_fd_);
  for (const std::string& what : violations) std::fprintf(stderr, "contract broken: %s\n", what.c_str());
  if (!violations.empty()) std::abort();
}

void FakeServer::read_clock() {
  now_ms_ = steady_ms() + clock_skew_ms_;
}

void FakeServer::check_thread() {
  if (std::this_thread::get_id() == loop_thread_) return;
  std::fprintf(stderr, "contract broken: the host was called from a thread\n");
  std::abort();
}

void FakeServer::call(const char* what, const std::function<void()>& enter) {
  const auto begin = std::chrono::steady_clock::now();
  try {
    around_call ? around_call(what, enter) : enter();
  } catch (const std::exception& error) {
    violation(std::string(what) + " threw " + error.what());
  } catch (...) {
    violation(std::string(what) + " threw");
  }
  const auto took = std::chrono::steady_clock::now() - begin;
  const auto took_us =
      static_cast<std::uint64_t>(std::chrono::duration_cast<std::chrono::microseconds>(took).count());
  longest_call_us = std::max(longest_call_us, took_us);
}

void FakeServer::turn(int wait_ms) {
  const bool runnable = std::any_of(driven_.begin(), driven_.end(),
                                    [](const auto& entry) { return entry.second->is_runnable(); });
  epoll_event events[16];
  const int count = epoll_wait(epoll_fd_, events, 16, resumed_.empty() && !runnable ? wait_ms : 0);
  read_clock();
  for (int i = 0; i < count; ++i) {
    const int fd = events[i].data.fd;
    if (fd == event_fd_) {
      eventfd_t announced = 0;
      eventfd_read(event_fd_, &announced);
      continue;
    }
    const auto found = watches_.find(fd);
    if (found == watches_.end()) continue;
    Watcher& watcher = *found->second.watcher;
    call("Watcher::ready", [&] { watcher.ready(events[i].events); });
  }
  give_back_works();
  fire_timers();
  answer_questions();
  for (const std::uint64_t ticket : std::exchange(resumed_, {})) {
    const auto found = driven_.find(ticket);
    if (found != driven_.end()) found->second->resume();
  }
  std::vector<std::uint64_t> tickets;
  for (const auto& [ticket, driven] : driven_) tickets.push_back(ticket);
  for (const std::uint64_t ticket : tickets) {
    const auto found = driven_.find(ticket);
    if (found != driven_.end()) found->second->drive();
  }
}

bool FakeServer::run_until(const std::function<bool()>& ready, int limit_ms) {
  const std::uint64_t end = steady_ms() + static_cast<std::uint64_t>(limit_ms);
  while (!ready()) {
    if (steady_ms() > end) return false;
    turn();
  }
  return true;
}

void FakeServer::pause_offload(bool paused) {
  const std::lock_guard lock(mutex_);
  paused_ = paused;
  wanted_.notify_all();
}

Ticket FakeServer::add(Driven& driven) {
  driven_[++last_ticket_] = &driven;
  return Ticket{last_ticket_};
}

void FakeServer::run_thread() {
  std::unique_lock lock(mutex_);
  for (;;) {
    wanted_.wait(lock, [this] { return stopping_ || (!queue_.empty() && !paused_); });
    if (stopping_) return;
    Item item = std::move(queue_.front());
    queue_.pop_front();
    lock.unlock();
    item.work->run();
    item.ran = true;
    lock.lock();
    finished_.push_back(std::move(item));
    eventfd_write(event_fd_, 1);
  }
}

void FakeServer::give_back_works() {
  std::deque<Item> finished;
  {
    const std::lock_guard lock(mutex_);
    finished.swap(finished_);
  }
  for (Item& item : finished) {
    call("Work::done", [&] {
      item.work->done(item.ran);
      item.work.reset();
    });
    item.host->release();
    --works_out_;
  }
}

void FakeServer::fire_timers() {
  const std::uint64_t newest = last_timer_;
  for (auto next = alarms_.begin(); next != alarms_.end() && next->first <= now_ms_;) {
    if (next->second.id > newest) {
      ++next;
      continue;
    }
    const Alarm alarm = next->second;
    Timer& timer = *alarm.timer;
    alarms_.erase(next);
    if (alarm.period_ms > 0) alarms_.emplace(now_ms_ + alarm.period_ms, alarm);
    call("Timer::fired", [&] { timer.fired(); });
    next = alarms_.begin();
  }
}

void FakeServer::answer_questions() {
  if (withhold_answers) return;
  for (const Question& asked : std::exchange(asked_, {})) {
    const auto found = answers.find(asked.question);
    const bool known = !expire_questions && found != answers.end();
    call("Answered::answered", [&] { asked.to->answered(known, known ? Bytes(found->second) : Bytes()); });
  }
}

FakeHost::~FakeHost() {
  if (holds != 0) server_.violation("holds and releases differ by " + std::to_string(holds));
  for (const auto& [fd, watch] : server_.watches_) {
    if (watch.host == this) server_.violation("an fd is still watched");
  }
  std::erase_if(server_.alarms_, [this](const auto& alarm) { return alarm.second.host == this; });
  std::erase_if(server_.asked_, [this](const auto& asked) { return asked.host == this; });
}

Folder FakeHost::folder() const {
  Folder folder;
  folder.fd = plan.folder_fd;
  folder.path = plan.folder_path;
  return folder;
}

Bytes FakeHost::option(Bytes name) const {
  const auto found = plan.options.find(copy(name));
  return found == plan.options.end() ? Bytes() : Bytes(found->second);
}

std::uint64_t FakeHost::number(Bytes name) const {
  const std::string text = copy(option(name));
  if (text == "on" || text == "true" || text == "yes") return 1;
  char* unit = nullptr;
  const std::uint64_t number = std::strtoull(text.c_str(), &unit, 10);
  const std::string_view suffix = unit;
  if (suffix == "k") return number << 10;
  if (suffix == "M") return number << 20;
  if (suffix == "G") return number << 30;
  if (suffix == "s") return number * 1000;
  return number;
}

void FakeHost::reject(Bytes why) {
  if (!creating) server_.violation("reject while not being created");
  rejection = std::string_view(why);
}

void FakeHost::log(LogLevel level, Bytes message) {
  server_.check_thread();
  server_.logs.emplace_back(level, copy(message));
}

bool FakeHost::watch(int fd, std::uint32_t epoll_events, Watcher& watcher) {
  server_.check_thread();
  epoll_event event{};
  event.events = epoll_events;
  event.data.fd = fd;
  if (epoll_ctl(server_.epoll_fd_, EPOLL_CTL_ADD, fd, &event) != 0) return false;
  server_.watches_[fd] = {this, &watcher};
  return true;
}

void FakeHost::unwatch(int fd) {
  server_.check_thread();
  server_.watches_.erase(fd);
  epoll_ctl(server_.epoll_fd_, EPOLL_CTL_DEL, fd, nullptr);
}

TimerId FakeHost::timer(std::uint64_t delay_ms, Timer& timer) {
  server_.check_thread();
  const std::uint64_t id = ++server_.last_timer_;
  server_.alarms_.emplace(server_.now_ms_ + delay_ms, FakeServer::Alarm{this, id, &timer, 0});
  return TimerId{id};
}

TimerId FakeHost::every(std::uint64_t period_ms, Timer& timer) {
  server_.check_thread();
  const std::uint64_t id = ++server_.last_timer_;
  server_.alarms_.emplace(server_.now_ms_ + period_ms, FakeServer::Alarm{this, id, &timer, period_ms});
  return TimerId{id};
}

bool FakeHost::ask(Bytes question, Answered& to) {
  server_.check_thread();
  server_.questions.push_back(copy(question));
  if (!server_.answers.contains(copy(question))) return false;
  server_.asked_.push_back({this, &to, copy(question)});
  return true;
}

std::uint64_t FakeHost::shared_number(Bytes name) {
  server_.check_thread();
  return server_.shared_numbers[copy(name)];
}

Changed FakeHost::change_shared_number(Bytes name, std::uint64_t from, std::uint64_t to) {
  if (shared_number(name) != from) return Changed::differs;
  server_.shared_numbers[copy(name)] = to;
  return Changed::yes;
}

std::uint64_t FakeHost::add_shared_number(Bytes name, std::uint64_t by) {
  server_.check_thread();
  return server_.shared_numbers[copy(name)] += by;
}

bool FakeHost::claim(Bytes name, std::uint32_t max) {
  if (claims(name) >= max) return false;
  ++server_.claims[copy(name)];
  return true;
}

void FakeHost::give_back(Bytes name) {
  if (claims(name) == 0) return server_.violation("it gave back what it had not claimed");
  --server_.claims[copy(name)];
}

std::uint64_t FakeHost::claims(Bytes name) {
  server_.check_thread();
  return server_.claims[copy(name)];
}

void FakeHost::cancel(TimerId timer) {
  server_.check_thread();
  std::erase_if(server_.alarms_, [&](const auto& alarm) { return alarm.second.id == timer.value; });
}

bool FakeHost::offload(Work* work) {
  server_.check_thread();
  ++server_.works_offered;
  if (server_.refuse_offloads > 0) {
    --server_.refuse_offloads;
    return false;
  }
  hold();
  ++server_.works_out_;
  const std::lock_guard lock(server_.mutex_);
  FakeServer::Item item{this, std::unique_ptr<Work>(work)};
  if (server_.expire_offloads) {
    server_.finished_.push_back(std::move(item));
    eventfd_write(server_.event_fd_, 1);
  } else {
    server_.queue_.push_back(std::move(item));
    server_.wanted_.notify_one();
  }
  return true;
}

void FakeHost::resume(Ticket ticket) {
  server_.check_thread();
  server_.resumed_.push_back(ticket.value);
}

void FakeHost::hold() {
  server_.check_thread();
  ++holds;
}

void FakeHost::release() {
  server_.check_thread();
  if (--holds < 0) server_.violation("more releases than holds");
}

std::uint32_t FakeHost::counter(Bytes name) {
  const std::string text = copy(name);
  server_.counters.emplace(text, 0);
  auto known = std::find(counter_names_.begin(), counter_names_.end(), text);
  if (known == counter_names_.end()) known = counter_names_.insert(known, text);
  return static_cast<std::uint32_t>(known - counter_names_.begin());
}

void FakeHost::count(std::uint32_t counter, std::uint64_t by) {
  server_.check_thread();
  server_.counters[counter_names_.at(counter)] += by;
}

FieldBlock* FakeHost::prepare_fields(const Field* fields, std::uint32_t count) {
  auto block = std::make_unique<FakeFieldBlock>();
  for (std::uint32_t i = 0; i < count; ++i) {
    if (why_not_sendable(fields[i].name, fields[i].value) != nullptr) return nullptr;
    block->lines.emplace_back(copy(fields[i].name), copy(fields[i].value));
  }
  ++server_.field_blocks_out;
  return reinterpret_cast<FieldBlock*>(block.release());
}

void FakeHost::release_fields(FieldBlock* block) {
  if (block != nullptr) --server_.field_blocks_out;
  delete reinterpret_cast<FakeFieldBlock*>(block);
}

}  // namespace sluice::test
