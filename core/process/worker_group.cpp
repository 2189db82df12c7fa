#include "process/worker_group.h"

#include <sys/socket.h>

#include <algorithm>
#include <cstring>
#include <utility>

#include "base/log.h"

namespace sluice {
namespace {

bool is_same_address(const HandedSocket& one, const HandedSocket& other) {
  sockaddr_storage first{};
  sockaddr_storage second{};
  socklen_t first_size = sizeof(first);
  socklen_t second_size = sizeof(second);
  return one.is_passed == other.is_passed && one.text == other.text &&
         ::getsockname(one.fd, reinterpret_cast<sockaddr*>(&first), &first_size) == 0 &&
         ::getsockname(other.fd, reinterpret_cast<sockaddr*>(&second), &second_size) == 0 &&
         first_size == second_size && std::memcmp(&first, &second, first_size) == 0;
}

}  // namespace

WorkerGroup::WorkerGroup(PlanPtr plan, std::vector<MountReport> mounts)
    : plan_(std::move(plan)), mounts_(std::move(mounts)) {
  for (std::size_t group = 0; group < plan_->groups.size(); ++group) {
    for (unsigned index = 0; index < plan_->groups[group].workers; ++index) slots_.push_back({group, index});
  }
  workers_.resize(slots_.size());
}

Result<void> WorkerGroup::open_listeners(const WorkerGroup* before, const InheritedSockets& inherited) {
  return open_from({before == nullptr ? std::vector<Listening>() : before->listeners_, inherited});
}

// Sockets of one address follow each other.
Result<void> WorkerGroup::open_listeners(const Handover& before, const InheritedSockets& inherited) {
  Sources sources{{}, inherited};
  for (std::size_t i = 0; i < before.sockets.size();) {
    const HandedSocket& first = before.sockets[i];
    std::vector<UniqueFd> sockets;
    for (; i < before.sockets.size() && is_same_address(before.sockets[i], first); ++i) {
      if (!first.is_passed) sockets.emplace_back(before.sockets[i].fd);
    }
    if (!sockets.empty())
      sources.kept.push_back({0, 0, ListenGroup::adopt(first.text, std::move(sockets)), false});
  }
  return open_from(std::move(sources));
}

void WorkerGroup::hand_over(Handover& handover) const {
  for (const Listening& listening : listeners_) listening.sockets->hand_over(handover);
}

void WorkerGroup::own_listeners() const {
  for (const Listening& listening : listeners_) listening.sockets->own_file();
}

void WorkerGroup::leave_listeners() {
  for (const Listening& listening : listeners_) listening.sockets->forget_file();
  listeners_.clear();
}

Result<void> WorkerGroup::open_from(Sources sources) {
  const auto wanted = sources.inherited.check_wanted(*plan_);
  if (!wanted) return wanted;
  // If the kernel chooses the port, several addresses may be written alike.
  for (std::size_t group = 0; group < plan_->groups.size(); ++group) {
    for (std::uint32_t i = 0; i < plan_->groups[group].addresses.size(); ++i) {
      const auto opened = open_addresses(group, i, sources);
      if (!opened) return opened;
    }
  }
  return {};
}

// For a name, one of its addresses is enough: the machine may have no IPv6.
Result<void> WorkerGroup::open_addresses(std::size_t group, std::uint32_t index, Sources& sources) {
  const ListenGroup* first = nullptr;
  bool has_one = false;
  std::vector<Error> errors;
  for (ListenAddress& one : every_address(plan_->groups[group].addresses[index].at)) {
    if (first != nullptr) one.set_port(first->port());
    const bool is_there = std::any_of(listeners_.begin(), listeners_.end(), [&](const Listening& other) {
      return other.group == group && other.sockets->is_at(one);
    });
    if (is_there) {  // under another of its names
      has_one = true;
      continue;
    }
    auto opened = open_address(group, one, sources);
    if (opened) {
      has_one = true;
      listeners_.push_back({group, index, *opened, one.tls});
      if (first == nullptr && one.is_one_of_several) first = opened->get();
    } else {
      errors.push_back(opened.error());
    }
  }
  if (errors.empty()) return {};
  if (!has_one) return Unexpected(errors.front());
  for (const Error& error : errors)
    log(LogLevel::warning, error.message + "; another address of that name is served");
  return {};
}

Result<std::shared_ptr<ListenGroup>> WorkerGroup::open_address(std::size_t group, const ListenAddress& address,
                                                               Sources& sources) const {
  std::vector<Listening>& kept = sources.kept;
  const unsigned workers = plan_->groups[group].workers;
  const auto same = std::find_if(kept.begin(), kept.end(), [&](const Listening& listening) {
    return listening.sockets->is_of(address) || listening.sockets->is_at(address);
  });
  if (same == kept.end()) {
    auto passed = sources.inherited.at(address);
    if (!passed) return Unexpected(passed.error());
    if (!passed->empty())
      return std::shared_ptr<ListenGroup>(ListenGroup::inherit(address, std::move(*passed)));
    auto opened = ListenGroup::open(address, workers);
    if (!opened) return Unexpected(opened.error());
    return std::shared_ptr<ListenGroup>(std::move(*opened));
  }
  const std::shared_ptr<ListenGroup> sockets = same->sockets;
  kept.erase(same);
  return sockets->provide(workers).map([&] { return sockets; });
}

Result<void> WorkerGroup::start_accepting() {
  for (const Listening& listening : listeners_) {
    const auto listens = listening.sockets->listen();
    if (!listens) return listens;
  }
  for (WorkerProcess* worker : workers()) worker->tell({ControlMessage::accept});
  return {};
}

void WorkerGroup::drop_unused_listeners() {
  for (const Listening& listening : listeners_) listening.sockets->drop_unused();
}

std::vector<std::string> WorkerGroup::urls(std::size_t group, std::optional<std::uint32_t> address) const {
  std::vector<std::string> urls;
  for (const Listening& listening : listeners_) {
    if (listening.group != group || (address && listening.address != *address)) continue;
    // A name may have several addresses.
    const std::string url = listening.sockets->url(listening.tls);
    if (std::find(urls.begin(), urls.end(), url) == urls.end()) urls.push_back(url);
  }
  return urls;
}

void WorkerGroup::close_for_child(const std::vector<ListeningSocket>& kept) {
  for (const Listening& listening : listeners_) listening.sockets->close_all_but(kept);
  for (auto& worker : workers_) worker.reset();
  plan_.reset();
}

std::vector<ListeningSocket> WorkerGroup::sockets_of(std::size_t slot) const {
  const auto [group, index] = slots_[slot];
  std::vector<ListeningSocket> sockets;
  for (const Listening& listening : listeners_) {
    if (listening.group != group) continue;
    for (const int socket : listening.sockets->sockets_of(index, plan_->groups[group].workers))
      sockets.push_back({socket, listening.address});
  }
  return sockets;
}

Result<void> WorkerGroup::launch(std::size_t slot, const ModuleSet& modules, const Launch& launch) {
  WorkerProcess::Start start;
  start.plan = plan_;
  start.group = slots_[slot].group;
  start.modules = modules;
  start.copies = launch.copies;
  start.unusable = launch.unusable;
  start.index = static_cast<unsigned>(slot);
  for (const Listening& listening : listeners_) listening.sockets->listen_again();
  start.sockets = sockets_of(slot);
  start.log_fd = launch.log_fd;
  start.close_others = launch.close_others;
  WorkerProcess::Leases leases;
  if (launch.access != nullptr) leases.access = launch.access->lend(plan_);
  if (launch.seats != nullptr) leases.seat = launch.seats->lend();
  start.access = leases.access.place();
  start.state = leases.seat.place();
  auto started = WorkerProcess::start(start, std::move(leases), launch.loop, launch.owner);
  if (!started) return Unexpected(started.error());
  workers_[slot] = std::move(*started);
  return {};
}

Result<void> WorkerGroup::launch_missing(const ModuleSet& modules, const Launch& launch,
                                         const Launched& launched) {
  for (std::size_t slot = 0; slot < slots(); ++slot) {
    if (workers_[slot] != nullptr) continue;
    const auto started = this->launch(slot, modules, launch);
    if (!started) return started;
    launched(*workers_[slot]);
  }
  return {};
}

std::vector<WorkerProcess*> WorkerGroup::workers_of(std::size_t group) const {
  std::vector<WorkerProcess*> living;
  for (std::size_t slot = 0; slot < slots(); ++slot) {
    if (workers_[slot] != nullptr && slots_[slot].group == group) living.push_back(workers_[slot].get());
  }
  return living;
}

std::vector<WorkerProcess*> WorkerGroup::workers() const {
  std::vector<WorkerProcess*> living;
  for (const auto& worker : workers_) {
    if (worker != nullptr) living.push_back(worker.get());
  }
  return living;
}

std::vector<pid_t> WorkerGroup::pids() const {
  std::vector<pid_t> pids;
  for (const WorkerProcess* worker : workers()) pids.push_back(worker->pid());
  return pids;
}

void WorkerGroup::replace(pid_t pid) const {
  WorkerProcess& worker = *find(pid);
  log(LogLevel::error, "worker " + std::to_string(worker.index() + 1) + " takes no message: it is replaced");
  worker.dismiss();
}

WorkerProcess* WorkerGroup::find(pid_t pid) const {
  for (const auto& worker : workers_) {
    if (worker != nullptr && worker->pid() == pid) return worker.get();
  }
  return nullptr;
}

std::unique_ptr<WorkerProcess> WorkerGroup::take(const WorkerProcess& worker) {
  return std::move(workers_[worker.index()]);
}

bool WorkerGroup::all_ready() const {
  return std::all_of(workers_.begin(), workers_.end(),
                     [](const auto& worker) { return worker != nullptr && worker->ready(); });
}

bool WorkerGroup::any_missing() const {
  return std::any_of(workers_.begin(), workers_.end(), [](const auto& worker) { return worker == nullptr; });
}

WorkerProcess* WorkerGroup::sibling(std::size_t slot,
                                    const std::function<bool(const WorkerProcess&)>& can_help) const {
  for (std::size_t step = 1; step < slots_.size(); ++step) {
    const std::size_t next = (slot + step) % slots_.size();
    if (slots_[next].group != slots_[slot].group) continue;
    WorkerProcess* other = workers_[next].get();
    if (other != nullptr && other->ready() && can_help(*other)) return other;
  }
  return nullptr;
}

}  // namespace sluice
