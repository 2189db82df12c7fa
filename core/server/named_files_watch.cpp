#include "server/named_files_watch.h"

#include <sys/inotify.h>
#include <unistd.h>

#include <fmt/core.h>
#include <algorithm>
#include <cerrno>
#include <cstring>
#include <filesystem>

#include "base/log.h"
#include "base/monotonic_clock.h"
#include "base/netstring.h"
#include "settings/ticket_key_file.h"
#include "swap/path_steps.h"

namespace sluice {
namespace {

namespace fs = std::filesystem;

constexpr std::uint32_t kGone = IN_DELETE_SELF | IN_MOVE_SELF | IN_IGNORED | IN_UNMOUNT;
constexpr std::uint32_t kWanted = IN_CREATE | IN_CLOSE_WRITE | IN_MOVED_TO | IN_MOVED_FROM | IN_DELETE |
                                  IN_ATTRIB | IN_DELETE_SELF | IN_MOVE_SELF | IN_ONLYDIR;
// Files that keep changing are looked at after this many times the quiet time.
constexpr std::uint64_t kPatience = 20;
constexpr std::uint64_t kLateMs = 10'000;
// How long to wait for the end of a child that is killed.
constexpr std::uint64_t kKilledWithinMs = 500;

// The name of a step that stands for all names in its folder.
constexpr const char* kAnyName = "*";

bool has_files(const ServingPlan& plan) {
  const auto is_file = [](const Certificate& certificate) { return certificate.files.chain != kSelfSigned; };
  const auto names_files = [](const SitePlan& site) {
    return !site.client_ca.empty() || !site.settings.error_pages.empty();
  };
  return !plan.settings.ticket_keys_file.empty() || !plan.places.empty() ||
         std::any_of(plan.certificates.begin(), plan.certificates.end(), is_file) ||
         std::any_of(plan.sites.begin(), plan.sites.end(), names_files);
}

// What a child finds in the files of a plan.
class Look {
 public:
  explicit Look(const ServingPlan& plan) {
    for (const Certificate& certificate : plan.certificates) {
      if (certificate.files.chain != kSelfSigned) compare(certificate);
    }
    if (!plan.settings.ticket_keys_file.empty()) compare(plan.settings.ticket_keys_file, *plan.ticket_keys);
    for (const SitePlan& site : plan.sites) {
      if (!site.client_ca.empty()) compare_signers(site.settings.client_ca, site.client_ca);
      if (!site.settings.error_pages.empty()) compare(site.settings.error_pages, site.error_pages);
    }
    if (!plan.places.empty()) compare_places(plan);
  }
  // Something that identifies the contents, or nothing if they are in force; why they cannot be read; a place
  // that confined workers may not read any more; and the steps of all paths.
  std::string report() {
    return NetstringWriter()
        .put(differs_ || !error_.empty() ? std::to_string(contents_) : "")
        .put(error_)
        .put(replaced_)
        .put(steps_.take())
        .take();
  }

 private:
  void compare(const Certificate& served) {
    follow(served.files.chain);
    follow(served.files.key);
    const auto read = read_certificate(served.files);
    if (!read) return note_error(read.error().message);
    note(read->chain, read->chain == served.chain);
    note(read->key->view(), read->key->view() == served.key->view());
  }
  void compare(const std::string& file, const TicketKeys& served) {
    follow(file);
    const auto read = read_ticket_keys(file);
    if (!read) return note_error(read.error().message);
    note(read->view(), served.are(read->view()));
  }
  void compare_signers(const std::string& file, const std::string& served) {
    follow(file);
    const auto read = read_client_ca(file);
    if (!read) return note_error(read.error().message);
    note(*read, *read == served);
  }
  void compare(const std::string& folder, const ErrorPages& served) {
    follow(fs::path(folder) / kAnyName);
    const auto read = ErrorPages::read(folder);
    if (!read) return note_error(read.error().message);
    for (const auto& [status, page] : read->all()) {
      const std::string name = std::to_string(status);
      follow(fs::path(folder) / (name + ".html"));  // which may be a link
      note(name, true);
      note(page, true);
    }
    note("", read->all() == served.all());
  }
  void compare_places(const ServingPlan& plan) {
    for (const std::string& path : confined_paths(plan)) {
      follow(path);
      const bool same = !was_replaced(plan.places, path);
      note(path, same);
      if (!same && replaced_.empty()) replaced_ = path;
    }
  }
  void note(std::string_view bytes, bool same) {
    constexpr std::size_t kFactor = 1'000'003;
    contents_ = contents_ * kFactor + std::hash<std::string_view>()(bytes);
    differs_ = differs_ || !same;
  }
  void note_error(const std::string& why) {
    note(why, false);
    if (error_.empty()) error_ = why;
  }
  void follow(const std::string& path) {
    for (const PathStep& step : steps_along(path)) {
      if (known_.insert(step.folder / step.name).second) steps_.put(step.folder.string()).put(step.name);
    }
  }

  std::size_t contents_ = 0;
  bool differs_ = false;
  std::string error_;
  std::string replaced_;
  NetstringWriter steps_;
  std::set<fs::path> known_;
};

}  // namespace

NamedFilesWatch::NamedFilesWatch(EventLoop& loop, Actions actions, Pace pace)
    : loop_(loop), actions_(std::move(actions)), pace_(pace), work_(loop, [this] { work(); }) {}

void NamedFilesWatch::serve(PlanPtr plan) {
  asks_ = reloads_ = false;
  refused_.clear();
  why_.clear();
  tell_ms_ = Alarm::kNever;
  plan_ = std::move(plan);
  if (!has_files(*plan_)) return end();
  if (!inotify_) {
    inotify_.reset(::inotify_init1(IN_CLOEXEC | IN_NONBLOCK));
    if (!inotify_ || !events_.begin(loop_, inotify_.get(), EPOLLIN, *this)) {
      log(LogLevel::warning,
          fmt::format("changes of files that the settings name are noticed within {} s only: {}",
                      pace_.look_ms / 1000, std::strerror(errno)));
    }
  }
  next_look_ms_ = 0;  // finds out what has to be watched, and what has changed during the reload
  work_.soon();
}

void NamedFilesWatch::reload_begins() {
  reloads_ = true;
  if (child_ == nullptr) return;
  child_.reset();
  next_look_ms_ = 0;
}

void NamedFilesWatch::end() {
  events_.end();
  inotify_.reset();
  places_.clear();
  if (child_ != nullptr) child_->end(kKilledWithinMs);  // it may hold listening sockets still
  child_.reset();
  plan_.reset();
  first_change_ms_ = next_look_ms_ = late_ms_ = tell_ms_ = Alarm::kNever;
  work_.off();
}

void NamedFilesWatch::close_for_child() {
  inotify_.reset();
  if (child_ != nullptr) child_->close_for_child();
  plan_.reset();
}

void NamedFilesWatch::on_events(std::uint32_t) {
  alignas(inotify_event) char buffer[16 * 1024];
  const ssize_t got = ::read(inotify_.get(), buffer, sizeof(buffer));
  const std::uint64_t now_ms = monotonic_ms();
  for (ssize_t at = 0; at < got;) {
    const auto* event = reinterpret_cast<const inotify_event*>(buffer + at);
    at += static_cast<ssize_t>(sizeof(inotify_event) + event->len);
    const auto first = places_.lower_bound({event->wd, ""});
    const bool folder_gone = (event->mask & kGone) != 0 && first != places_.end() && first->first == event->wd;
    const bool named = event->len > 0 &&
                       (places_.contains({event->wd, event->name}) || places_.contains({event->wd, kAnyName}));
    if (folder_gone || named || (event->mask & IN_Q_OVERFLOW) != 0) note_change(now_ms);
  }
}

// New workers that were refused are tried again at the look of the next minute.
bool NamedFilesWatch::look_soon() {
  const bool may_help = plan_ != nullptr && refused_.empty();
  if (may_help) note_change(monotonic_ms());
  return may_help;
}

void NamedFilesWatch::note_change(std::uint64_t now_ms) {
  first_change_ms_ = std::min(first_change_ms_, now_ms);
  last_change_ms_ = now_ms;
  work_.soon();
}

std::uint64_t NamedFilesWatch::due_ms() const {
  if (child_ != nullptr) return late_ms_;
  if (asks_ || reloads_) return Alarm::kNever;
  if (first_change_ms_ == Alarm::kNever) return next_look_ms_;
  const std::uint64_t at_the_latest = first_change_ms_ + kPatience * pace_.quiet_ms;
  return std::min({next_look_ms_, at_the_latest, last_change_ms_ + pace_.quiet_ms});
}

void NamedFilesWatch::work() {
  const std::uint64_t now_ms = monotonic_ms();
  if (now_ms >= tell_ms_) {
    log(LogLevel::error, "the changed files are not taken, and those before them serve on: " + why_);
    tell_ms_ = Alarm::kNever;
    why_.clear();
  }
  if (plan_ != nullptr && now_ms >= due_ms()) {
    if (child_ == nullptr) {
      look();
    } else {
      late_ms_ = Alarm::kNever;
      log(LogLevel::warning,
          "the files that the settings name cannot be looked at: their disk does not answer");
    }
  }
  work_.at(std::min(tell_ms_, due_ms()));
}

void NamedFilesWatch::look() {
  const std::uint64_t now_ms = monotonic_ms();
  first_change_ms_ = Alarm::kNever;
  next_look_ms_ = now_ms + pace_.look_ms;
  auto child = HeardChild::start(loop_, [this, plan = plan_] {
    actions_.close_in_child();
    return Look(*plan).report();
  });
  if (!child) {
    log(LogLevel::warning, "the files that the settings name cannot be looked at: " + child.error().message);
    return;
  }
  child_ = std::move(*child);
  late_ms_ = now_ms + kLateMs;
}

bool NamedFilesWatch::child_ended(pid_t pid, int status) {
  if (child_ == nullptr || !child_->is(pid)) return false;
  const auto report = child_->result(status);
  child_.reset();
  late_ms_ = Alarm::kNever;
  heard(report);
  work_.soon();
  return true;
}

void NamedFilesWatch::heard(const Result<std::string>& report) {
  if (!report) {
    log(LogLevel::warning, "the files that the settings name cannot be looked at: the process that read them " +
                               report.error().message);
    return;
  }
  NetstringReader fields(*report);
  seen_ = fields.next();
  const std::string error(fields.next());
  const std::string replaced(fields.next());
  const std::uint64_t now_ms = monotonic_ms();
  // What was not watched until now may have changed since the child has read it.
  if (follow(fields.next())) note_change(now_ms);
  if (seen_.empty()) {  // in force, perhaps again
    refused_.clear();
    why_.clear();
    tell_ms_ = Alarm::kNever;
  } else if (seen_ != refused_ || !replaced.empty()) {
    asks_ = true;
    if (!error.empty() && replaced.empty()) return refused(error);
    if (!replaced.empty())
      log(LogLevel::info,
          replaced + " was replaced: new workers take over, because the present ones may not read it");
    actions_.changed();
  }
}

// True if a folder is watched that was not watched before. One that does not exist has a folder above it that
// is watched.
bool NamedFilesWatch::follow(std::string_view steps) {
  std::set<std::pair<int, std::string>> places;
  std::set<int> before;
  for (const auto& [wd, name] : places_) before.insert(wd);
  std::set<int> folders;
  for (NetstringReader fields(steps); inotify_ && !fields.at_end();) {
    const std::string folder(fields.next());
    const std::string name(fields.next());
    const int wd = ::inotify_add_watch(inotify_.get(), folder.c_str(), kWanted);
    if (wd >= 0) {
      folders.insert(wd);
      places.emplace(wd, name);
    } else if (errno != ENOENT && errno != ENOTDIR && !std::exchange(told_of_failure_, true)) {
      log(LogLevel::warning, fmt::format("cannot watch {}, where files are that the settings name: {}; changes "
                                         "there are noticed within {} s",
                                         folder, std::strerror(errno), pace_.look_ms / 1000));
    }
  }
  for (const int wd : before) {
    if (!folders.contains(wd)) ::inotify_rm_watch(inotify_.get(), wd);
  }
  places_ = std::move(places);
  return !std::includes(before.begin(), before.end(), folders.begin(), folders.end());
}

void NamedFilesWatch::refused(const std::string& why) {
  reloads_ = false;
  work_.soon();
  if (!std::exchange(asks_, false)) return;
  if (why.empty()) {
    next_look_ms_ = 0;
    return;
  }
  refused_ = seen_;
  why_ = why;
  if (tell_ms_ == Alarm::kNever) tell_ms_ = monotonic_ms() + pace_.grace_ms;
}

}  // namespace sluice
