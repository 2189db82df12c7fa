// The steps of a search for a file that a thread does: opening a file that is not cached, listing a folder,
// hashing, and checking what was compressed beforehand.
//
// The work and the task of a request share a step, and either may end first. `run` is called on a thread,
// then `go_on` on the loop if the request is still there.
#pragma once

#include <cerrno>
#include <memory>
#include <string>
#include <utility>

#include "common/files/coded_content.h"
#include "common/files/content_hash.h"
#include "common/files/releases.h"
#include "common/serving/file_handler.h"
#include "common/serving/folder_listing.h"
#include "common/serving/open_faults.h"

namespace sluice::files {

class FileHandler::Step {
 public:
  virtual ~Step() = default;
  virtual void run() = 0;
  // `ran` is false when no thread was free in time.
  virtual void go_on(FileHandler& handler, Exchange& exchange, bool ran) = 0;

  // Loop thread.
  bool ready = false;
  bool has_run = false;
};

class FileHandler::StepWork final : public Work {
 public:
  StepWork(std::shared_ptr<Step> step, Host& host, Ticket ticket)
      : step_(std::move(step)), host_(host), ticket_(ticket) {}
  void run() override { step_->run(); }
  void done(bool ran) override {
    step_->ready = true;
    step_->has_run = ran;
    host_.resume(ticket_);
  }

 private:
  std::shared_ptr<Step> step_;
  Host& host_;
  const Ticket ticket_;
};

// The rest of a deferred request, at any step.
class FileHandler::SearchTask final : public Task {
 public:
  SearchTask(FileHandler& handler, std::shared_ptr<Step> step) : handler_(handler), step_(std::move(step)) {}
  void wait_for(std::shared_ptr<Step> step) { step_ = std::move(step); }
  void resumed(Exchange& exchange) override {
    if (step_ == nullptr || !step_->ready) return;
    const auto step = std::move(step_);
    const Resuming resuming(handler_, *this);
    step->go_on(handler_, exchange, step->has_run);
  }

 private:
  // Ends `resuming_` also after an exception, so that no later request finds it.
  struct Resuming {
    Resuming(FileHandler& of, SearchTask& task) : handler(of) { handler.resuming_ = &task; }
    ~Resuming() { handler.resuming_ = nullptr; }
    Resuming(const Resuming&) = delete;
    Resuming& operator=(const Resuming&) = delete;
    FileHandler& handler;
  };

  FileHandler& handler_;
  std::shared_ptr<Step> step_;
};

class FileHandler::FindFolderStep final : public Step {
 public:
  explicit FindFolderStep(ServedFolder::Places places) : places_(std::move(places)) {}
  void run() override { ServedFolder::search(places_); }
  void go_on(FileHandler& handler, Exchange& exchange, bool ran) override {
    if (!ran) return exchange.fail(503);
    handler.served_.take(std::move(places_));
    handler.begin(exchange);
  }

 private:
  ServedFolder::Places places_;
};

class FileHandler::OpenStep final : public Step {
 public:
  OpenStep(Host& host, std::shared_ptr<const OwnedFd> folder, Links links, Search search)
      : host_(host), folder_(std::move(folder)), links_(links), search_(std::move(search)) {}
  // Closes the file on a thread if the request has gone meanwhile.
  ~OpenStep() override {
    if (opened_.fd && !opened_.local) destroy_on_thread(host_, std::move(opened_.fd));
  }
  void run() override {
    opened_ = open_beneath(folder_->get(), search_.path.c_str(), Resolve::may_block, links_);
  }
  void go_on(FileHandler& handler, Exchange& exchange, bool ran) override {
    if (!ran) opened_.error = EAGAIN;
    handler.opened(exchange, std::move(search_), std::move(folder_), std::move(opened_));
  }

 private:
  Host& host_;
  std::shared_ptr<const OwnedFd> folder_;
  const Links links_;
  Search search_;
  Opened opened_;
};

class FileHandler::ReleasesStep final : public Step {
 public:
  ReleasesStep(std::shared_ptr<const OwnedFd> folder, std::string prefix, std::string asked,
               std::uint64_t releases_max, Search search)
      : folder_(std::move(folder)),
        prefix_(std::move(prefix)),
        asked_(std::move(asked)),
        releases_max_(releases_max),
        search_(std::move(search)) {}
  void run() override { found_ = find_in_releases(folder_->get(), prefix_, asked_, releases_max_); }
  void go_on(FileHandler& handler, Exchange& exchange, bool ran) override {
    if (!ran) return handler.answer_error(exchange, 503);
    handler.found_in_releases(exchange, std::move(search_), std::move(found_));
  }

 private:
  const std::shared_ptr<const OwnedFd> folder_;
  const std::string prefix_;
  const std::string asked_;
  const std::uint64_t releases_max_;
  Search search_;
  std::string found_;
};

// Finds out for `explain` why the file was not opened.
class FileHandler::WhyNotStep final : public Step {
 public:
  WhyNotStep(std::shared_ptr<const OwnedFd> folder, Links links, int error, Search search)
      : folder_(std::move(folder)), links_(links), error_(error), search_(std::move(search)) {}
  void run() override { why_ = why_not_opened(folder_->get(), search_.path, links_, error_); }
  void go_on(FileHandler& handler, Exchange& exchange, bool ran) override {
    if (ran) exchange.explain(why_);
    handler.missing(exchange, std::move(search_), status_of(error_));
  }

 private:
  const std::shared_ptr<const OwnedFd> folder_;
  const Links links_;
  const int error_;
  Search search_;
  std::string why_;
};

class FileHandler::ListStep final : public Step {
 public:
  ListStep(Host& host, ListingStore& listings, std::shared_ptr<const OwnedFd> folder, ListingPlan plan)
      : host_(host), listings_(listings), folder_(std::move(folder)), plan_(std::move(plan)) {}
  ~ListStep() override { give_away_text(host_, std::move(content_)); }
  void run() override {
    Listing listing = list_folder(plan_);
    error_ = listing.error;
    if (error_ == 0) content_ = listings_.keep(name(), std::move(listing.content));
  }
  void go_on(FileHandler& handler, Exchange& exchange, bool ran) override {
    handler.listed(exchange, plan_, ran ? error_ : EAGAIN, std::move(content_));
  }

 private:
  // Listings that are likely to be equal have equal names.
  std::string name() const {
    std::string name = plan_.shown_path;
    for (const int part : {plan_.root, static_cast<int>(plan_.format), static_cast<int>(plan_.order.key),
                           static_cast<int>(plan_.order.descending)}) {
      name.append("\n").append(std::to_string(part));
    }
    return name;
  }

  Host& host_;
  ListingStore& listings_;
  const std::shared_ptr<const OwnedFd> folder_;  // keeps the plan's root open
  const ListingPlan plan_;
  int error_ = 0;
  HeldText content_;
};

class FileHandler::HashStep final : public Step {
 public:
  HashStep(Search search, FileRef file) : search_(std::move(search)), file_(std::move(file)) {}
  void run() override { hash_ = hash_content(file_->fd(), file_->facts(), wall_seconds()); }
  void go_on(FileHandler& handler, Exchange& exchange, bool ran) override {
    // Without a hash the file is served with its weaker tag, and the next request tries again.
    if (ran && hash_.end == HashEnd::hashed) handler.cache_.remember_hash(*file_, hash_.etag);
    handler.serve(exchange, std::move(search_), file_);
  }

 private:
  Search search_;
  FileRef file_;
  ContentHash hash_;
};

class FileHandler::DecodableStep final : public Step {
 public:
  DecodableStep(Search search, FileRef file, Coding coding)
      : search_(std::move(search)), file_(std::move(file)), coding_(coding) {}
  void run() override { decodable_ = browsers_decode(file_->fd(), file_->facts().size, coding_); }
  void go_on(FileHandler& handler, Exchange& exchange, bool ran) override {
    // Nothing is known yet: another coding, or the plain file, answers.
    if (!ran) return handler.seek_encoded(exchange, std::move(search_));
    file_->decodable = decodable_ ? Known::yes : Known::no;
    handler.serve_encoded(exchange, std::move(search_), file_);
  }

 private:
  Search search_;
  FileRef file_;
  const Coding coding_;
  bool decodable_ = false;
};

}  // namespace sluice::files
