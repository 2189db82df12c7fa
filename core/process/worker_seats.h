// The seats of workers in what they share. A seat is given back when its worker's process is gone; then nothing
// of what that worker had under way counts any more, and nothing of what it has written into free seats.
//
// Supervisor's thread.
#pragma once

#include <unistd.h>

#include <algorithm>
#include <atomic>
#include <map>
#include <memory>
#include <utility>

#include "base/shared_state.h"

namespace sluice {

class WorkerSeats {
 public:
  explicit WorkerSeats(std::shared_ptr<const SharedState> state) : state_(std::move(state)) {}
  WorkerSeats(const WorkerSeats&) = delete;
  WorkerSeats& operator=(const WorkerSeats&) = delete;
  ~WorkerSeats() = default;

  // The copy of a forked process gives nothing back.
  class Lease {
   public:
    Lease() = default;
    Lease(WorkerSeats& seats, unsigned seat) : seats_(&seats), place_{seats.state_, seat}, owner_(::getpid()) {}
    ~Lease() {
      if (seats_ != nullptr && owner_ == ::getpid()) seats_->give_back(place_.seat);
    }
    Lease(Lease&& other) noexcept
        : seats_(std::exchange(other.seats_, nullptr)), place_(std::move(other.place_)), owner_(other.owner_) {}
    Lease& operator=(Lease&& other) noexcept {
      std::swap(seats_, other.seats_);
      std::swap(place_, other.place_);
      std::swap(owner_, other.owner_);
      return *this;
    }
    Lease(const Lease&) = delete;
    Lease& operator=(const Lease&) = delete;

    const StatePlace& place() const { return place_; }

   private:
    WorkerSeats* seats_ = nullptr;
    StatePlace place_;
    pid_t owner_ = 0;
  };

  // Without a state if all seats are taken: that worker counts for itself.
  Lease lend() {
    for (unsigned seat = 0; seat < taken_.size(); ++seat) {
      if (taken_.test(seat)) continue;
      state_->claims.sweep(taken_, std::max(seats_in_use(), seat + 1));
      taken_.set(seat);
      return {*this, seat};
    }
    return {};
  }
  // Nobody waits for this process any more, but it may still write. Its seat is given back when it has ended.
  void keep_until_end(pid_t pid, Lease lease) { kept_.insert_or_assign(pid, std::move(lease)); }
  void ended(pid_t pid) { kept_.erase(pid); }
  // Workers say once more what they do without.
  void forget_told() { state_->told->missing.store(0, std::memory_order_relaxed); }

 private:
  void give_back(unsigned seat) {
    taken_.reset(seat);
    state_->claims.sweep(taken_, seats_in_use());
    state_->numbers.free_marked(taken_);
  }
  // Up to the highest one that is taken.
  unsigned seats_in_use() const {
    unsigned seats = WorkerClaims::kSeats;
    while (seats > 0 && !taken_.test(seats - 1)) --seats;
    return seats;
  }

  std::shared_ptr<const SharedState> state_;
  WorkerClaims::Seats taken_;
  std::map<pid_t, Lease> kept_;
};

}  // namespace sluice
