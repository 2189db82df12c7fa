// The module that is checked: its private copies, its options, and the paths to ask for.
//
// The parent makes it once, and each step uses it in a child process. Read-only except for the texts that the
// children write for the parent.
#pragma once

#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "base/error.h"
#include "base/unique_fd.h"
#include "check/findings.h"
#include "check/private_folder.h"
#include "check/shared_text.h"
#include "settings/user.h"

namespace sluice::cli {

// The options of the mount, as they are written.
using MountOptions = std::vector<std::pair<std::string, std::string>>;

// The options of the command.
struct CheckRequest {
  enum class Output : std::uint8_t { table, json, junit };

  std::string file;
  MountOptions options;
  std::string root;                   // empty: a sample folder
  std::string user;                   // as for Settings::user
  std::vector<std::string> requests;  // paths below the mount, or whole targets
  std::uint32_t handler_ms = 5'000;   // after that a deferred answer is overdue
  std::uint32_t step_ms = 60'000;     // after that a step is given up
  Output output = Output::table;
};

class ModuleUnderCheck {
 public:
  static constexpr unsigned kGenerations = 2;

  // Copies the file and writes the sample folder. The error is one sentence.
  static Result<std::unique_ptr<ModuleUnderCheck>> create(const CheckRequest& request);
  ModuleUnderCheck(const ModuleUnderCheck&) = delete;
  ModuleUnderCheck& operator=(const ModuleUnderCheck&) = delete;

  const CheckRequest& request() const { return request_; }
  std::string file_name() const;
  // The path of the copy for this generation. Each has a name of its own.
  std::string copy(unsigned generation) const;
  int root_fd() const { return root_.get(); }
  // A folder where files that the module writes because of a check do no harm.
  std::string work_folder() const { return folder_->path() + "/work"; }
  // What the check does at this moment: "GET /hello/ is answered".
  SharedText& note() const { return note_; }
  // The findings of the present step.
  SharedText& found() const { return found_; }
  // Targets, one a line, whose answers are known to be streams without end.
  SharedText& streams() const { return streams_; }
  // The user that the steps run as; nothing for the user who started the check.
  const std::optional<User>& user() const { return user_; }

 private:
  explicit ModuleUnderCheck(const CheckRequest& request) : request_(request) {}
  Result<void> write_samples();
  Result<void> hand_over();

  CheckRequest request_;
  std::unique_ptr<PrivateFolder> folder_;
  UniqueFd root_;
  mutable SharedText note_{512};
  mutable SharedText found_{kFindingsSizeMax};
  mutable SharedText streams_{16 * 1024};
  std::optional<User> user_;
};

}  // namespace sluice::cli
