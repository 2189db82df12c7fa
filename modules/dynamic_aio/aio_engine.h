// Reads by Linux AIO with O_DIRECT. It submits reads to a context of the kernel, and takes the results when
// its eventfd is ready. One a worker, in the module's Shared. Loop thread; a thread makes submissions that
// might wait.
//
// Each file gets a second descriptor with O_DIRECT. The flag belongs to the open file description, so setting
// it on the first one would turn the page cache off for everybody. The second one is opened beneath the
// mount's folder like the first, since /proc may be missing, and used only if it has the same inode.
//
// INVARIANT: a slot is in `slots_` while the kernel has not reported it, or a thread submits it.
#pragma once

#include <libaio.h>
#include <sluice/handler.h>

#include <list>
#include <memory>

#include "common/reading/read_queue.h"

namespace sluice {

class AioEngine final : public files::ReadEngine, private Watcher {
 public:
  static constexpr std::uint64_t kSetupRetryMs = 1000;

  // `host` is the Shared's. While there is no context (fs.aio-max-nr is used up) threads read.
  AioEngine(Host& host, files::ReadQueue& queue);
  ~AioEngine() override;
  AioEngine(const AioEngine&) = delete;
  AioEngine& operator=(const AioEngine&) = delete;

  bool start(const files::ReadRef& read) override;
  // Gives the context up once nothing is under way. Threads do further reads.
  void retire();

 private:
  class ThreadSubmit;
  struct Destroy {
    void operator()(io_context_t context) const { io_destroy(context); }
  };
  using Context = std::unique_ptr<io_context, Destroy>;
  struct Slot {
    iocb control{};
    files::ReadRef read;
    bool at_kernel = false;  // a completion will come
    bool at_thread = false;
    bool may_refuse = false;  // submitted with RWF_NOWAIT
    std::list<Slot>::iterator place;
  };

  bool set_up();
  void ready(std::uint32_t epoll_events) override;
  void completed(Slot& slot, std::int64_t result);
  bool submit_on_thread(Slot& slot);
  void submit_or_read_on_thread(Slot& slot);
  void submitted(Slot& slot, int outcome);
  void free_if_unused(Slot& slot);
  void end_context();

  Host& host_;
  files::ReadQueue& queue_;
  bool retired_ = false;
  files::OwnedFd event_fd_;
  Context context_;
  std::uint64_t next_setup_ms_ = 0;
  bool told_ = false;  // the log says already that there is no context
  std::list<Slot> slots_;
  std::uint32_t aio_reads_;
  std::uint32_t thread_submits_;
};

}  // namespace sluice
