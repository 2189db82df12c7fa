#include "server/named_files_look.h"

#include <algorithm>
#include <filesystem>
#include <functional>
#include <set>
#include <string_view>

#include "base/netstring.h"
#include "settings/ticket_key_file.h"
#include "swap/path_steps.h"

namespace sluice {
namespace {

namespace fs = std::filesystem;

bool names_files(const ServingPlan& plan) {
  const auto is_file = [](const Certificate& certificate) { return certificate.files.chain != kSelfSigned; };
  const auto has_files = [](const SitePlan& site) {
    return !site.client_ca.empty() || !site.settings.error_pages.empty();
  };
  return !plan.settings.ticket_keys_file.empty() ||
         std::any_of(plan.certificates.begin(), plan.certificates.end(), is_file) ||
         std::any_of(plan.sites.begin(), plan.sites.end(), has_files);
}

class Look {
 public:
  void at_files(const ServingPlan& plan) {
    for (const Certificate& certificate : plan.certificates) {
      if (certificate.files.chain != kSelfSigned) compare(certificate);
    }
    if (!plan.settings.ticket_keys_file.empty()) compare(plan.settings.ticket_keys_file, *plan.ticket_keys);
    for (const SitePlan& site : plan.sites) {
      if (!site.client_ca.empty()) compare_signers(site.settings.client_ca, site.client_ca);
      if (!site.settings.error_pages.empty()) compare(site.settings.error_pages, site.error_pages);
    }
  }
  void at_places(const ServingPlan& plan) {
    for (const std::string& path : confined_paths(plan)) {
      follow(path);
      const bool same = !was_replaced(plan.places, path);
      note(path, same);
      if (!same && replaced_.empty()) replaced_ = path;
    }
  }
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

bool names_any(Named what, const ServingPlan& plan) {
  return what == Named::files ? names_files(plan) : !plan.places.empty();
}

std::string look_at(Named what, const ServingPlan& plan) {
  Look look;
  if (what == Named::files) {
    look.at_files(plan);
  } else {
    look.at_places(plan);
  }
  return look.report();
}

}  // namespace sluice
