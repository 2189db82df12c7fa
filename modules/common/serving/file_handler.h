// The common part of handlers that serve files: from a request to an opened file and the head of its answer.
// The derived handler sends the content: `make_body`.
//
// One per worker and mount; uses the cache of its module's Shared. Loop thread.
//
// INVARIANT: a request is answered once, or deferred with work under way on a thread that will resume it.
#pragma once

#include <sluice/handler.h>

#include <memory>
#include <string>
#include <vector>

#include "common/files/destroy_on_thread.h"
#include "common/files/file_cache.h"
#include "common/files/open_beneath.h"
#include "common/files/served_folder.h"
#include "common/http/byte_ranges.h"
#include "common/http/content_coding.h"
#include "common/serving/file_options.h"
#include "common/serving/folder_listing.h"
#include "common/serving/listing_store.h"
#include "common/serving/refusal_log.h"

namespace sluice::files {

// For answers to HEAD: the server destroys it without pumping it.
class NoBody final : public Body {
 public:
  Progress pump(Sink&) override { return Progress::done; }
};

// Content in memory, which other answers may share.
class TextBody final : public Body {
 public:
  TextBody(Host& host, HeldText content) : host_(host), content_(std::move(content)) {}
  ~TextBody() override { give_away_text(host_, std::move(content_)); }
  Progress pump(Sink& sink) override;

 private:
  Host& host_;
  HeldText content_;
  std::size_t block_ = 0;  // the block being sent
  std::size_t sent_ = 0;   // bytes of it
};

class FileHandler : public Handler {
 public:
  ~FileHandler() override;
  void handle(Exchange& exchange) override;

 protected:
  FileHandler(Host& host, FileCache& cache, ListingStore& listings);

  // Answers 200, 206, 304, 412 or 416 with an open, regular file.
  virtual void answer(Exchange& exchange, const FileRef& file, Coding coding);
  // A body that writes [offset, offset + size) of the file.
  virtual Body* make_body(const FileRef& file, std::uint64_t offset, std::uint64_t size, Ticket ticket) = 0;
  // Whether content leaves as it is in the file. Only then encoded siblings may stand for it.
  virtual bool sends_files_as_they_are() const { return true; }

  Host& host() { return host_; }
  // The Content-Type of a file by its name.
  std::string_view type_of(std::string_view path) const;
  // Head lines that every answer about that file carries: Cache-Control and the like.
  void add_common_fields(Exchange& exchange, const OpenFile& file) const;
  // True when a condition of the request was not met; then it has been answered. Content that is made from
  // the file anew has no validators.
  bool answer_condition(Exchange& exchange, const OpenFile& file, bool has_validators, bool& range_applies);

 private:
  // One search for a file. Its result leads to an answer or to the next search.
  struct Search {
    enum class For : std::uint8_t {
      request,   // what was asked for
      encoded,   // a sibling of `plain` that the client prefers
      fallback,  // the page for names that do not exist
      error,     // the page for `status`
    };
    For purpose = For::request;
    std::string path;          // beneath the mount's folder
    std::uint32_t status = 0;  // of the answer, if purpose is `error`
    FileRef plain;
    Codings codings;
    std::size_t tried = 0;     // how many of the codings; `path` has the last of them
    std::size_t index = 0;     // of FileOptions::indexes, for a folder
    bool in_releases = false;  // other releases were looked at already
  };
  // A step of a search that a thread does, and the continuation on the loop.
  class Step;
  class FindFolderStep;
  class OpenStep;
  class ReleasesStep;
  class WhyNotStep;
  class ListStep;
  class HashStep;
  class DecodableStep;
  class StepWork;
  class SearchTask;

  void begin(Exchange& exchange);
  bool accept_method(Exchange& exchange);
  bool locate(const Request& request, std::string& path) const;
  std::string_view why_not_located(const Request& request) const;
  // The steps of a search. Each ends with an answer, a deferral or the next step.
  void seek(Exchange& exchange, Search search);
  void opened(Exchange& exchange, Search search, std::shared_ptr<const OwnedFd> folder, Opened opened);
  void found(Exchange& exchange, Search search, const FileRef& file);
  void serve(Exchange& exchange, Search search, const FileRef& file);
  void serve_encoded(Exchange& exchange, Search search, const FileRef& file);
  void missing(Exchange& exchange, Search search, std::uint32_t status);
  void seek_encoded(Exchange& exchange, Search search);
  void seek_in_releases(Exchange& exchange, Search search);
  void found_in_releases(Exchange& exchange, Search search, std::string path);
  // The part of the path between the root and what requests name; empty or ending in '/'.
  std::string base() const { return served_.prefix() + options_.release; }
  // Null if the fallback may answer.
  const char* why_no_fallback(const Request& request) const;
  void seek_fallback(Exchange& exchange);
  void answer_error(Exchange& exchange, std::uint32_t status);
  void redirect_to_folder(Exchange& exchange);
  void list(Exchange& exchange, const std::string& index_path);
  void listed(Exchange& exchange, const ListingPlan& plan, int error, HeldText content);
  void run_on_thread(Exchange& exchange, std::shared_ptr<Step> step);

  void answer_ranges(Exchange& exchange, const FileRef& file, std::vector<ByteRange> ranges);
  void send_part(Exchange& exchange, const FileRef& file, std::uint64_t offset, std::uint64_t size);

  bool is_fallback(const OpenFile& file) const;
  FieldBlock* prepare_common_fields(std::string_view cache_control, std::string_view vary);
  std::uint64_t look_since(const Request& request) const;
  const FileCache::Lookup& lookup_for(const Search& search) const;
  std::string_view type_for(const Search& search) const;

  Host& host_;
  FileCache& cache_;
  ListingStore& listings_;
  const FileOptions options_;
  ServedFolder served_;
  FieldBlock* common_fields_ = nullptr;  // of files; null for none
  FieldBlock* page_fields_ = nullptr;    // of the fallback and of listings
  RefusalLog refusals_;
  SearchTask* resuming_ = nullptr;  // the deferred request that continues at this moment
  const FileCache::Lookup lookup_;
  const FileCache::Lookup encoded_lookup_;  // a sibling gets the type of its plain file
  std::string path_;                        // of the request in hand; a member to reuse its memory
};

}  // namespace sluice::files
