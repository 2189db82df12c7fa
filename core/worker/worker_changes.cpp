// The worker's part of a change of the modules: it loads them on a thread, makes their handlers in steps, and
// takes the change or gives it up.
#include <utility>

#include "base/log.h"
#include "worker/module_loading.h"
#include "worker/worker.h"

namespace sluice {

class Worker::Loading final : public Work {
 public:
  Loading(Worker& worker, std::uint64_t number, ModuleSet set, ModuleSet wanted)
      : worker_(worker), number_(number), set_(std::move(set)), wanted_(std::move(wanted)) {
    for (const ModuleEntry& entry : wanted_) notes_.push_back(note_of_loading(worker.context_.stats, entry));
  }
  void run() override {
    for (std::size_t i = 0; i < wanted_.size(); ++i) {
      read_through(wanted_[i].path);
      files_.emplace(wanted_[i].path, load_module(wanted_[i], worker_.context_.stats, notes_[i]));
    }
  }
  void done(bool ran) override {
    if (!ran) return worker_.say(ControlMessage::refused, number_, "the worker had no free thread to load it");
    worker_.begin_next(number_, set_, files_);
  }

 private:
  Worker& worker_;
  std::uint64_t number_;
  ModuleSet set_;
  ModuleSet wanted_;
  std::vector<std::uint64_t> notes_;  // one for each of them
  LoadedFiles files_;
};

void Worker::say(ControlMessage kind, std::uint64_t number, const std::string& text) {
  if (!send_message(control_, {kind, number, text}))
    log(LogLevel::error, "a change of the modules cannot be reported to the supervisor");
}

void Worker::prepare_change(std::uint64_t number, const ModuleSet& set) {
  abandon_change();
  change_ = number;
  const ModuleSet wanted = MountTable::to_load(plan_, group_, set, mounts_.get());
  std::unique_ptr<Work> loading = std::make_unique<Loading>(*this, number, set, wanted);
  if (!offload_->submit(this, loading))
    say(ControlMessage::refused, number, "the threads of the worker have too much to do");
}

void Worker::begin_next(std::uint64_t number, const ModuleSet& set, LoadedFiles& files) {
  for (auto& [path, file] : files) {
    if (file) *file = unloaded_elsewhere(std::move(*file));
  }
  if (number != change_) return;  // it was abandoned meanwhile
  making_ = MountTable::begin(services_, plan_, group_, set, files, mounts_.get(), Unusable::left_out);
  make_next();
}

void Worker::make_next() {
  if (making_ == nullptr) return;  // it was abandoned meanwhile
  Result<bool> all_made = false;
  do all_made = making_->make_some(1);
  while (all_made && !*all_made && !loop_->slice_is_over());
  if (all_made && !*all_made) return loop_->make_ready(*this);
  std::unique_ptr<MountTable> made = std::move(making_);
  if (!all_made) return say(ControlMessage::refused, change_, all_made.error().message);
  if (!made->problems().empty())
    return say(ControlMessage::refused, change_, made->problems().front().sentence);
  next_mounts_ = std::move(made);
  say(ControlMessage::prepared, change_);
}

// The other workers have taken the change. If this one has not prepared it, it ends, and its successor starts
// with it.
void Worker::commit_change(std::uint64_t number) {
  if (next_mounts_ == nullptr || number != change_) {
    log(LogLevel::error,
        "this worker has not prepared a change of the modules that the others have taken: it ends, to be "
        "replaced");
    return drain(true);
  }
  next_mounts_->fill(router_);
  mounts_->retire_except(*next_mounts_);
  mounts_ = std::move(next_mounts_);
  change_ = 0;
}

void Worker::abandon_change() {
  making_.reset();
  next_mounts_.reset();
  change_ = 0;
}

}  // namespace sluice
