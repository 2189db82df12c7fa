#include "check/module_under_check.h"

#include <fcntl.h>
#include <unistd.h>

#include <fmt/core.h>
#include <cerrno>
#include <filesystem>
#include <fstream>
#include <utility>

namespace sluice::cli {
namespace {

namespace fs = std::filesystem;

constexpr int kLargeLines =
    20'000;  // about a mebibyte: more than fits into the buffers between client and server

}  // namespace

Result<std::unique_ptr<ModuleUnderCheck>> ModuleUnderCheck::create(const CheckRequest& request) {
  std::unique_ptr<ModuleUnderCheck> subject(new ModuleUnderCheck(request));
  std::error_code error;
  if (!fs::is_regular_file(request.file, error)) {
    return fail(fmt::format("there is no module {}: name the file that the build made", request.file));
  }
  if (!subject->note_.has_memory() || !subject->found_.has_memory())
    return fail("there is no memory for what the check finds: end something else, and try again");
  auto user = find_user(request.user);
  if (!user) return Unexpected(user.error());
  subject->user_ = std::move(*user);
  auto folder = PrivateFolder::create();
  if (!folder) return Unexpected(folder.error());
  subject->folder_ = std::move(*folder);
  for (unsigned generation = 0; generation < kGenerations; ++generation) {
    fs::copy_file(request.file, subject->copy(generation), error);
    if (error) return fail(fmt::format("cannot copy {}: {}", request.file, error.message()));
  }
  fs::create_directory(subject->work_folder(), error);
  if (request.root.empty()) {
    const auto written = subject->write_samples();
    if (!written) return Unexpected(written.error());
  }
  const auto handed_over = subject->hand_over();
  if (!handed_over) return Unexpected(handed_over.error());
  const std::string root = request.root.empty() ? subject->folder_->path() + "/root" : request.root;
  subject->root_.reset(::open(root.c_str(), O_PATH | O_DIRECTORY | O_CLOEXEC));
  if (!subject->root_) return fail_errno(fmt::format("the root {} cannot be opened", root), errno);
  return subject;
}

std::string ModuleUnderCheck::file_name() const {
  return fs::path(request_.file).filename().string();
}

std::string ModuleUnderCheck::copy(unsigned generation) const {
  return folder_->path() + "/" + fs::path(request_.file).stem().string() + "." +
         std::to_string(generation + 1) + ".so";
}

// Lets the steps read everything in the private folder, and lets the module write among its samples.
Result<void> ModuleUnderCheck::hand_over() {
  if (!user_) return {};
  const fs::path folder = folder_->path();
  std::error_code error;
  fs::permissions(folder, fs::perms::group_exec | fs::perms::others_exec, fs::perm_options::add, error);
  for (unsigned generation = 0; generation < kGenerations && !error; ++generation) {
    fs::permissions(copy(generation), fs::perms::group_read | fs::perms::others_read, fs::perm_options::add,
                    error);
  }
  if (error)
    return fail(fmt::format("cannot let {} read {}: {}", user_->name, folder.string(), error.message()));
  const auto give = [&](const fs::path& path) { return ::lchown(path.c_str(), user_->uid, user_->gid) == 0; };
  bool given = give(work_folder());
  if (request_.root.empty()) {
    given = give(folder / "root") && given;
    for (const fs::directory_entry& entry : fs::recursive_directory_iterator(folder / "root"))
      given = give(entry.path()) && given;
  }
  if (!given) return fail_errno("cannot give the samples to " + user_->name, errno);
  return {};
}

Result<void> ModuleUnderCheck::write_samples() {
  const fs::path root = fs::path(folder_->path()) / "root";
  std::error_code error;
  fs::create_directories(root / "folder", error);
  std::ofstream(root / "index.html") << "<!DOCTYPE html><title>sample</title><p>An index.\n";
  std::ofstream(root / "folder" / "index.html") << "<!DOCTYPE html><title>sample</title><p>Another.\n";
  std::ofstream(root / "sample.txt") << "A sample.\n";
  std::ofstream large(root / "large.txt");
  for (int line = 0; line < kLargeLines; ++line)
    large << "This is line number " << 10'000'000 + line << " of a large sample.\n";
  large.close();
  if (error || !large) return fail("cannot write sample files: point TMPDIR to a folder with some room");
  return {};
}

}  // namespace sluice::cli
