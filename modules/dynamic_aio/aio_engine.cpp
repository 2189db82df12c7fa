#include "dynamic_aio/aio_engine.h"

#include <fcntl.h>
#include <sys/epoll.h>
#include <sys/eventfd.h>
#include <sys/syscall.h>
#include <sys/uio.h>
#include <unistd.h>

#include <array>
#include <cerrno>
#include <utility>

#include "common/files/destroy_on_thread.h"
#include "common/files/open_beneath.h"

namespace sluice {

using files::Known;
using files::OwnedFd;
using files::Read;
using files::ReadQueue;
using files::ReadRef;

// The numbers of a read. They are copied, since the loop may drop the read before the thread has submitted
// it.
struct AioTarget {
  explicit AioTarget(const Read& read)
      : data(read.buffer->data()), offset(static_cast<long long>(read.offset)), size(read.size) {}
  char* data;
  long long offset;
  std::size_t size;
};

namespace {

// Twice as many as reads may run: a slot stays when the kernel completes the read before the thread that
// submitted it has ended.
constexpr int kSlotsMax = 2 * ReadQueue::kRunningMax;
constexpr std::uint64_t kNever = ~std::uint64_t{0};

// Submits one read. Returns 0, or an error of errno(3).
int submit(io_context_t context, iocb& control, void* slot, int direct_fd, const AioTarget& target,
           int event_fd, int flags) {
  io_prep_pread(&control, direct_fd, target.data, target.size, target.offset);
  io_set_eventfd(&control, event_fd);
  control.data = slot;
  control.aio_rw_flags = static_cast<unsigned>(flags);
  iocb* list[] = {&control};
  int submitted;
  do {
    submitted = io_submit(context, 1, list);
  } while (submitted == -EINTR);
  return submitted == 1 ? 0 : submitted == 0 ? EAGAIN : -submitted;
}

// A filter of system calls may allow making the context and refuse using it. Then no read would ever end.
bool can_use(io_context_t context) {
  timespec no_wait{};
  io_event none;
  // libaio answers without the kernel when it sees that nothing has ended, so this calls the kernel itself.
  return io_submit(context, 0, nullptr) == 0 && syscall(SYS_io_getevents, context, 0, 1, &none, &no_wait) == 0;
}

OwnedFd open_direct(const files::OpenFile& file) {
  if (file.folder == nullptr) return OwnedFd();
  files::Opened opened = files::open_beneath(file.folder->get(), file.path().c_str(), files::Resolve::may_block,
                                             files::Links::followed, O_DIRECT);
  files::FileFacts facts;
  if (opened.error != 0 || files::read_facts(opened.fd.get(), facts) != 0) return OwnedFd();
  return facts.same_file(file.facts()) ? std::move(opened.fd) : OwnedFd();
}

}  // namespace

// Uses the slot's control block, which the loop leaves alone while `at_thread`.
class AioEngine::ThreadSubmit final : public Work {
 public:
  ThreadSubmit(AioEngine& engine, Slot& slot)
      : engine_(engine),
        slot_(slot),
        file_(slot.read->file),
        target_(*slot.read),
        direct_fd_(file_->direct_fd.get()) {}
  void run() override {
    if (direct_fd_ < 0) {
      opened_ = open_direct(*file_);
      direct_fd_ = opened_.get();
    }
    outcome_ = direct_fd_ < 0 ? ENOTSUP
                              : submit(engine_.context_.get(), slot_.control, &slot_, direct_fd_, target_,
                                       engine_.event_fd_.get(), 0);
  }
  void done(bool ran) override {
    if (opened_ && !file_->direct_fd) file_->direct_fd = std::move(opened_);
    if (ran && outcome_ == 0) file_->extents_mapped = true;
    engine_.submitted(slot_, ran ? outcome_ : ETIMEDOUT);
  }

 private:
  AioEngine& engine_;
  Slot& slot_;
  const files::FileRef file_;
  const AioTarget target_;
  int direct_fd_;
  OwnedFd opened_;
  int outcome_ = 0;
};

AioEngine::AioEngine(Host& host, ReadQueue& queue)
    : host_(host),
      queue_(queue),
      aio_reads_(host.counter("aio_reads")),
      thread_submits_(host.counter("aio_thread_submits")) {
  queue_.use(this);
}

AioEngine::~AioEngine() {
  queue_.use(nullptr);
  if (event_fd_) host_.unwatch(event_fd_.get());
}

void AioEngine::retire() {
  retired_ = true;
  end_context();
}

// Ends the context once nothing is under way. A thread does it, since io_destroy(2) sleeps even then.
void AioEngine::end_context() {
  if (context_ == nullptr || !slots_.empty()) return;
  host_.unwatch(event_fd_.get());
  event_fd_ = OwnedFd();
  files::destroy_on_thread(host_, std::move(context_));
}

// Makes the context at the first read, so that a mount of cached files uses nothing of fs.aio-max-nr.
bool AioEngine::set_up() {
  if (retired_) return false;
  if (context_ != nullptr) return true;
  if (host_.now_ms() < next_setup_ms_) return false;
  next_setup_ms_ = host_.now_ms() + kSetupRetryMs;
  OwnedFd event_fd(eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK));
  if (!event_fd) return false;
  io_context_t made = nullptr;
  const int error = io_setup(kSlotsMax, &made);
  Context context(made);
  if (error != 0 || !can_use(made)) {
    const bool scarce = error == -EAGAIN;
    if (context != nullptr) files::destroy_on_thread(host_, std::move(context));
    if (!scarce) next_setup_ms_ = kNever;
    if (!std::exchange(told_, true))
      host_.log(LogLevel::warning, scarce
                                       ? "no AIO context is left, so threads read the files: raise the sysctl "
                                         "fs.aio-max-nr"
                                       : "the system refuses AIO, so threads read the files");
    return false;
  }
  if (!host_.watch(event_fd.get(), EPOLLIN, *this)) return false;
  event_fd_ = std::move(event_fd);
  context_ = std::move(context);
  return true;
}

bool AioEngine::start(const ReadRef& read) {
  files::OpenFile& file = *read->file;
  if (file.direct == Known::no || slots_.size() >= kSlotsMax || !set_up()) return false;
  Slot& slot = slots_.emplace_back();
  slot.place = std::prev(slots_.end());
  slot.read = read;
  // io_submit itself reads the block map of a file that was not read before, and waits for the disk.
  if (file.direct_fd && file.extents_mapped) {
    slot.may_refuse = true;
    const AioTarget target(*read);
    if (submit(context_.get(), slot.control, &slot, file.direct_fd.get(), target, event_fd_.get(),
               RWF_NOWAIT) == 0) {
      slot.at_kernel = true;
      return true;
    }
  }
  if (submit_on_thread(slot)) return true;
  free_if_unused(slot);
  return false;
}

bool AioEngine::submit_on_thread(Slot& slot) {
  auto work = std::make_unique<ThreadSubmit>(*this, slot);
  if (!host_.offload(work.get())) return false;
  static_cast<void>(work.release());
  slot.at_kernel = true;  // the kernel may complete it before the thread's work ends
  slot.at_thread = true;
  slot.may_refuse = false;
  host_.count(thread_submits_, 1);
  return true;
}

void AioEngine::submit_or_read_on_thread(Slot& slot) {
  if (submit_on_thread(slot)) return;
  queue_.read_on_thread(std::exchange(slot.read, nullptr));
  free_if_unused(slot);
}

// The end of a thread's submission; `outcome` is 0 or an error of errno(3).
void AioEngine::submitted(Slot& slot, int outcome) {
  slot.at_thread = false;
  if (outcome != 0) {
    slot.at_kernel = false;
    const ReadRef read = std::exchange(slot.read, nullptr);
    if (outcome == EINVAL || outcome == ENOTSUP) read->file->direct = Known::no;
    if (outcome == ETIMEDOUT) {
      queue_.finish(read, -ETIMEDOUT);
    } else {
      queue_.read_on_thread(read);
    }
  }
  free_if_unused(slot);
}

void AioEngine::ready(std::uint32_t) {
  eventfd_t announced = 0;
  static_cast<void>(eventfd_read(event_fd_.get(), &announced));
  std::array<io_event, kSlotsMax> events;
  timespec no_wait{};
  const int count = io_getevents(context_.get(), 0, kSlotsMax, events.data(), &no_wait);
  for (int i = 0; i < count; ++i) {
    const io_event& event = events[static_cast<std::size_t>(i)];
    const auto result = static_cast<std::int64_t>(static_cast<long>(event.res));
    completed(*static_cast<Slot*>(event.data), result);
  }
}

void AioEngine::completed(Slot& slot, std::int64_t result) {
  slot.at_kernel = false;
  if (result == -EAGAIN && slot.may_refuse && slot.read->user != nullptr) return submit_or_read_on_thread(slot);

  const ReadRef read = std::exchange(slot.read, nullptr);
  free_if_unused(slot);  // while the read still holds the module
  files::FileFacts now;
  if (result == -EINVAL || result == -EOPNOTSUPP) {
    read->file->direct = Known::no;
    queue_.read_on_thread(read);
  } else if (result >= 0 && static_cast<std::uint64_t>(result) < read->size &&
             files::read_facts(read->file->fd(), now) == 0 &&
             read->offset + static_cast<std::uint64_t>(result) < now.size) {
    queue_.read_on_thread(read);  // the read is short although the file goes on
  } else {
    host_.count(aio_reads_, 1);
    queue_.finish(read, result);
  }
}

void AioEngine::free_if_unused(Slot& slot) {
  if (!slot.at_kernel && !slot.at_thread) slots_.erase(slot.place);
  if (retired_) end_context();
}

}  // namespace sluice
