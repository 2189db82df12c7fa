#include "swap/module_store.h"

#include <fcntl.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <unistd.h>

#include <fmt/core.h>
#include <algorithm>
#include <cerrno>
#include <cstdlib>
#include <cstring>
#include <filesystem>
#include <set>
#include <system_error>

#include "module/mapped_code.h"
#include "module/module_source.h"
#include "swap/own_libraries.h"

namespace sluice {
namespace {

namespace fs = std::filesystem;

constexpr std::string_view kFolderPrefix = "sluice-modules-";
constexpr int kAttempts = 10;
// The ending of a copy that is made again, until it is whole.
constexpr std::string_view kDraftEnding = "~";

// Whether everybody may pass all folders of the path, if this is root, because the workers have another user
// then. The same holds for `--user root`: a reload may choose another user, and the copies stay where they are.
bool is_open_to_workers(const fs::path& folder) {
  if (::geteuid() != 0) return true;
  struct stat status {};
  for (fs::path path = folder;; path = path.parent_path()) {
    if (::stat(path.c_str(), &status) != 0 || (status.st_mode & S_IXOTH) == 0) return false;
    if (!path.has_relative_path()) return true;
  }
}

// Whether this user may write in the folder, and the workers' user can reach its files.
bool has_place(const fs::path& folder) {
  return ::access(folder.c_str(), W_OK | X_OK) == 0 && is_open_to_workers(folder);
}

// Folders for the copies: first those that the environment names, then folders of the system. /dev/shm is
// writable in containers with a read-only root file system.
std::vector<std::string> possible_bases() {
  std::vector<std::string> bases;
  for (const char* name : {"TMPDIR", "RUNTIME_DIRECTORY", "XDG_RUNTIME_DIR"}) {
    if (const char* folder = std::getenv(name)) bases.emplace_back(folder);
  }
  for (const char* folder : {"/run", "/tmp", "/var/tmp", ".", "/dev/shm"}) bases.emplace_back(folder);
  return bases;
}

// An empty descriptor if another process has locked the folder.
UniqueFd lock_folder(const std::string& path, int how) {
  UniqueFd folder(::open(path.c_str(), O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC));
  if (folder && ::flock(folder.get(), how | LOCK_NB) != 0) folder.reset();
  return folder;
}

// Removes folders of servers that were killed: nobody holds their locks.
void remove_stale_folders(const std::string& base) {
  std::error_code error;
  for (fs::directory_iterator entry(base, error); !error && entry != fs::directory_iterator();
       entry.increment(error)) {
    struct stat status {};
    if (entry->path().filename().string().rfind(kFolderPrefix, 0) != 0) continue;
    if (::lstat(entry->path().c_str(), &status) != 0 || status.st_uid != ::geteuid()) continue;
    const UniqueFd lock = lock_folder(entry->path(), LOCK_EX);
    if (!lock) continue;
    std::error_code ignored;
    fs::remove_all(entry->path(), ignored);
  }
}

struct Source {
  UniqueFd fd;
  FileStamp stamp;
  std::vector<std::string> origins;
};

Result<Source> open_source(const std::string& folder, const std::string& file) {
  UniqueFd fd(::open((folder + "/" + file).c_str(), O_RDONLY | O_CLOEXEC | O_NONBLOCK));
  struct stat status {};
  if (!fd || ::fstat(fd.get(), &status) != 0) return fail_errno(file + " cannot be read", errno);
  const auto allowed = check_source(status, file, is_open_to_all(folder));
  if (!allowed) return Unexpected(allowed.error());
  std::error_code error;
  std::vector<std::string> origins{fs::absolute(folder, error).lexically_normal()};
  const fs::path real = fs::canonical(fs::path(folder) / file, error);
  if (!error && real.parent_path() != origins.front()) origins.push_back(real.parent_path());
  return Source{std::move(fd), stamp_of(status), std::move(origins)};
}

// Whether the path still leads to the open file.
bool is_at(int fd, const std::string& path) {
  struct stat opened {};
  struct stat found {};
  return ::fstat(fd, &opened) == 0 && ::lstat(path.c_str(), &found) == 0 && opened.st_dev == found.st_dev &&
         opened.st_ino == found.st_ino;
}

}  // namespace

std::vector<std::string> folders_for_code() {
  std::vector<std::string> folders;
  std::vector<std::string> noexec;
  for (const std::string& named : possible_bases()) {
    // The canonical path, which the kernel reports for mapped files, so that mappings of a copy are recognised.
    std::error_code error;
    const fs::path base = fs::canonical(named, error);
    if (error || !has_place(base)) continue;
    (is_noexec(base) ? noexec : folders).push_back(base);
  }
  if (memory_allows_code()) folders.insert(folders.end(), noexec.begin(), noexec.end());
  return folders;
}

Error no_folder_for_code() {
  const bool through_memory = memory_allows_code();
  return Error{fmt::format(
      "no folder for private copies of modules: point TMPDIR to one that may be written, "
      "{}and, as root, lies in folders that everybody may pass (chmod o+x); a container has "
      "one with --tmpfs /tmp{}",
      through_memory ? "" : "is not noexec, ",
      through_memory ? ""
                     : ":exec, or let memory hold code (sysctl vm.memfd_noexec=1), and a noexec one does")};
}

Result<std::unique_ptr<ModuleStore>> ModuleStore::create() {
  for (const fs::path base : folders_for_code()) {
    remove_stale_folders(base.string());
    // Until the folder is locked, another server that starts may remove it as stale.
    for (int i = 0; i < kAttempts; ++i) {
      std::string path = (base / kFolderPrefix).string() + "XXXXXX";
      if (::mkdtemp(path.data()) == nullptr) break;
      UniqueFd lock = lock_folder(path, LOCK_SH);
      // Workers read their copies as another user, who may not write here.
      if (lock && ::fchmod(lock.get(), 0755) == 0 && stamp_of(path))
        return std::unique_ptr<ModuleStore>(new ModuleStore(path, std::move(lock)));
      ::rmdir(path.c_str());
    }
  }
  return Unexpected(no_folder_for_code());
}

ModuleStore::~ModuleStore() {
  std::error_code ignored;
  fs::remove_all(path_, ignored);
}

tl::expected<EmptyCopy, CopyFailure> ModuleStore::begin_copy(const std::string& folder,
                                                             const std::string& file) {
  auto source = open_source(folder, file);
  if (!source) return tl::make_unexpected(CopyFailure{source.error()});
  return begin_copy(std::move(source->fd), file,
                    {++generations_[file], source->stamp, folder, std::move(source->origins)})
      .map_error([](const Error& error) {
        return CopyFailure{error, true};
      });
}

Result<EmptyCopy> ModuleStore::begin_copy(const ModuleCopy& copy, const std::string& file) {
  if (const auto restored = restore(); !restored) return Unexpected(restored.error());
  UniqueFd from(::open(copy.path().c_str(), O_RDONLY | O_CLOEXEC));
  if (!from) return fail_errno(copy.path() + " cannot be read", errno);
  return begin_copy(std::move(from), file, {copy.generation(), copy.stamp(), copy.folder(), {}});
}

Result<EmptyCopy> ModuleStore::begin_copy(UniqueFd from, const std::string& file, Original original) {
  if (const auto restored = restore_folder(); !restored) return Unexpected(restored.error());
  const std::string path =
      path_ + "/" + fs::path(file).stem().string() + "." + std::to_string(++copies_) + ".so";
  UniqueFd to(::open(path.c_str(), O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, 0755));
  if (!to) return fail_errno(file + " cannot be copied to a private place", errno);
  auto copy =
      std::make_shared<const ModuleCopy>(path, original.generation, original.stamp, std::move(original.folder));
  if (::fchmod(to.get(), 0755) != 0)
    return fail_errno(file + " cannot be made readable for the workers", errno);
  UniqueFd content(::open(path.c_str(), O_RDONLY | O_CLOEXEC));
  if (!content) return fail_errno(path + " cannot be read", errno);
  std::erase_if(kept_, [](const Kept& kept) { return kept.copy.expired(); });
  kept_.push_back({copy, path, std::move(content)});
  return EmptyCopy{std::move(copy), file, std::move(original.origins), std::move(from), std::move(to)};
}

Result<ModuleCopyPtr> ModuleStore::copy(const std::string& folder, const std::string& file) {
  auto begun = begin_copy(folder, file);
  if (!begun) return Unexpected(begun.error().error);
  const auto filled = begun->fill();
  if (!filled) return Unexpected(filled.error().error);
  return begun->copy;
}

void ModuleStore::keep_libraries() {
  std::set<std::string> known;
  std::set<ModuleCopyPtr> copies;
  for (const Kept& kept : kept_) {
    known.insert(kept.path);
    if (ModuleCopyPtr copy = kept.copy.lock()) copies.insert(std::move(copy));
  }
  for (const ModuleCopyPtr& copy : copies) {
    std::error_code error;
    for (fs::directory_iterator entry(libraries_folder(copy->path()), error);
         !error && entry != fs::directory_iterator(); entry.increment(error)) {
      const std::string path = entry->path().string();
      if (path.ends_with(kDraftEnding) || known.contains(path)) continue;
      UniqueFd content(::open(path.c_str(), O_RDONLY | O_CLOEXEC));
      if (content) kept_.push_back({copy, path, std::move(content)});
    }
  }
}

Result<void> ModuleStore::restore() {
  if (const auto restored = restore_folder(); !restored) return restored;
  keep_libraries();
  for (Kept& kept : kept_) {
    if (kept.copy.expired() || is_at(kept.content.get(), kept.path)) continue;
    const auto restored = restore_file(kept);
    if (!restored) return restored;
  }
  return {};
}

Result<void> ModuleStore::restore_folder() {
  if (is_at(lock_.get(), path_)) return {};
  const std::string what =
      fmt::format("the folder {} of private copies is gone, and cannot be made again", path_);
  // If the path exists, another user may own it: then mkdir fails, and nothing is written there.
  if (::mkdir(path_.c_str(), 0755) != 0) return fail_errno(what, errno);
  lock_ = lock_folder(path_, LOCK_SH);
  made_again_ = true;
  if (lock_ && ::fchmod(lock_.get(), 0755) == 0) return {};
  const int error_number = errno;
  lock_.reset();
  ::rmdir(path_.c_str());  // it would be in the way of the next attempt
  return fail_errno(what, error_number);
}

Result<void> ModuleStore::restore_file(Kept& kept) const {
  const std::string what = fmt::format("the private copy {} is gone, and cannot be made again", kept.path);
  const std::string draft = kept.path + std::string(kDraftEnding);
  const std::string folder = fs::path(kept.path).parent_path();
  if (folder != path_ && ::mkdir(folder.c_str(), 0755) == 0) ::chmod(folder.c_str(), 0755);
  ::unlink(draft.c_str());
  const UniqueFd to(::open(draft.c_str(), O_RDWR | O_CREAT | O_EXCL | O_CLOEXEC, 0755));
  if (!to || ::lseek(kept.content.get(), 0, SEEK_SET) != 0 || ::fchmod(to.get(), 0755) != 0)
    return fail_errno(what, errno);
  const auto copied = copy_bytes(kept.content.get(), to.get(), kept.path);
  UniqueFd fresh(::open(draft.c_str(), O_RDONLY | O_CLOEXEC));
  if (copied && fresh && ::rename(draft.c_str(), kept.path.c_str()) == 0) {
    kept.content = std::move(fresh);
    return {};
  }
  const int error_number = errno;
  ::unlink(draft.c_str());
  return copied ? fail_errno(what, error_number) : Unexpected(copied.error().error);
}

tl::expected<void, CopyFailure> EmptyCopy::fill() {
  const UniqueFd source = std::move(from);
  const UniqueFd target = std::move(to);
  return copy_bytes(source.get(), target.get(), file).and_then([this] {
    return take_own_libraries(copy->path(), file, origins);
  });
}

ModuleCopy::ModuleCopy(std::string path, std::uint32_t generation, const FileStamp& stamp, std::string folder)
    : path_(std::move(path)),
      generation_(generation),
      stamp_(stamp),
      folder_(std::move(folder)),
      owner_(::getpid()) {}

ModuleCopy::~ModuleCopy() {
  if (owner_ != ::getpid()) return;
  ::unlink(path_.c_str());
  std::error_code ignored;
  fs::remove_all(libraries_folder(path_), ignored);
}

void rehearse_copies(const std::vector<std::string>& folders) {
  for (const std::string& folder : folders) {
    const auto files = list_modules(folder);
    if (!files || !check_modules_folder(folder)) continue;
    for (const std::string& file : *files) static_cast<void>(open_source(folder, file));
  }
}

}  // namespace sluice
