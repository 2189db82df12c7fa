// Sends a range of a file from the page cache to the socket without copying it. It parks while pages are not
// in the page cache, and copies where zero copy is not supported. One an answer, loop thread.
//
// INVARIANT: Sink::send_file is called only for bytes that have just been found in memory.
#pragma once

#include <sluice/handler.h>

#include <optional>

#include "common/files/residency.h"
#include "common/reading/file_reader.h"
#include "static_sendfile/readahead_queue.h"

namespace sluice {

// The parts that all bodies of a worker use.
struct SendfileParts {
  explicit SendfileParts(Host& host) : readaheads(host), reads(host), copied(host.counter("copied_ranges")) {}
  ReadaheadQueue readaheads;
  files::ReadQueue reads;
  std::uint32_t copied;
};

class SendfileBody final : public Body {
 public:
  static constexpr std::uint64_t kWindow = ReadaheadQueue::kWindow;
  static constexpr std::uint64_t kWarmWindow = 2 << 20;  // checked in one go while nothing is missing
  static constexpr unsigned kTriesMax = 3;

  SendfileBody(SendfileParts& parts, files::FileRef file, std::uint64_t offset, std::uint64_t size,
               Ticket ticket)
      : parts_(parts), file_(std::move(file)), offset_(offset), end_(offset + size), ticket_(ticket) {}
  ~SendfileBody() override;
  Progress pump(Sink& sink) override;

 private:
  files::Residency residency();
  bool find_parts(std::uint64_t now_ms);
  Progress send_window(Sink& sink, std::uint64_t size);
  Progress wait_for_window();
  Progress copy(Sink& sink);
  void copy_up_to(std::uint64_t end);

  SendfileParts& parts_;
  const files::FileRef file_;
  std::uint64_t offset_;
  const std::uint64_t end_;
  const Ticket ticket_;
  ReadaheadRef stream_;                  // made when a page was missing
  std::uint64_t resident_end_ = 0;       // found in memory up to here
  bool warm_ = true;                     // no page was missing so far
  unsigned tries_ = 0;                   // how often it waited since it last sent something
  std::optional<files::CopyBody> copy_;  // sends what is before copy_end_
  std::uint64_t copy_end_ = 0;
};

}  // namespace sluice
