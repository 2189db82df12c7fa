// What handlers of files have in common: from a request to an opened file and the head of its answer. How the
// content leaves is the derived handler's: `make_body`.
//
// One per worker and mount; uses the cache of its module's Shared. Loop thread.
//
// INVARIANT: a request is answered once, or deferred with an open under way on a thread that will resume it.
#pragma once

#include <sluice/handler.h>

#include <array>
#include <string>

#include "common/file_cache.h"
#include "common/open_beneath.h"

namespace sluice::files {

// The options that every module made from FileHandler takes.
inline constexpr std::array kFileOptions = {
    OptionInfo{"index", OptionType::text, 0, "index.html",
               "the file that answers for a folder; empty for none"},
    OptionInfo{"hidden", OptionType::flag, 0, "off", "whether names that start with a dot are served"},
    OptionInfo{"default_type", OptionType::text, 0, "application/octet-stream",
               "the Content-Type of files with an unknown extension"},
    OptionInfo{"inline_max", OptionType::size, 0, "8k",
               "files up to this size are sent from memory; at most 1M"},
    OptionInfo{"entries_max", OptionType::number, 0, "1024",
               "how many open files a worker keeps, within an eighth of its descriptors; the largest of all "
               "mounts counts"},
    OptionInfo{"revalidate_ms", OptionType::duration_ms, 0, "1000",
               "how long another file moved to the same path may go unseen; 0 opens every time"},
};

// The options of all file handlers, and a module's own behind them.
template <std::size_t Count>
constexpr auto with_file_options(const std::array<OptionInfo, Count>& own) {
  std::array<OptionInfo, kFileOptions.size() + Count> all;
  for (std::size_t i = 0; i < kFileOptions.size(); ++i) all[i] = kFileOptions[i];
  for (std::size_t i = 0; i < Count; ++i) all[kFileOptions.size() + i] = own[i];
  return all;
}

// For answers to HEAD: the server destroys it without pumping it.
class NoBody final : public Body {
 public:
  Progress pump(Sink&) override { return Progress::done; }
};

class FileHandler : public Handler {
 public:
  void handle(Exchange& exchange) override;
  void retire() override { cache_.clear(); }

 protected:
  FileHandler(Host& host, FileCache& cache);

  // Answers 200 and so on with an open, regular file.
  virtual void answer(Exchange& exchange, const FileRef& file);
  // A body that writes [offset, offset + size) of the file.
  virtual Body* make_body(const FileRef& file, std::uint64_t offset, std::uint64_t size, Ticket ticket) = 0;

  Host& host() { return host_; }
  const Folder& folder() const { return folder_; }
  const std::string& default_type() const { return default_type_; }

 private:
  class OpenTask;
  class OpenWork;
  struct OpenResult;

  bool accept_method(Exchange& exchange);
  bool locate(const Request& request, std::string& path) const;
  void open_on_thread(Exchange& exchange, std::string path);
  void opened(Exchange& exchange, const std::string& path, Opened opened);
  void redirect_to_folder(Exchange& exchange);
  // True when a condition of the request was not met, and has been answered.
  bool answer_condition(Exchange& exchange, const OpenFile& file, bool& range_applies);
  // True when ranges were asked for, and have been answered.
  bool answer_ranges(Exchange& exchange, const FileRef& file, std::string_view field);
  void send_part(Exchange& exchange, const FileRef& file, std::uint64_t offset, std::uint64_t size);

  Host& host_;
  FileCache& cache_;
  const Folder folder_;
  const std::string index_;
  const std::string default_type_;
  const bool hidden_;
  const std::uint64_t inline_max_;
  const std::uint64_t revalidate_ms_;
  std::uint32_t scope_ = 0;
  std::string path_;  // of the request in hand, kept for its memory
};

}  // namespace sluice::files
