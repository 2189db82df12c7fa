#include "module_store.h"

#include <fcntl.h>
#include <sys/file.h>
#include <sys/sendfile.h>
#include <sys/stat.h>
#include <sys/statvfs.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <cstdlib>
#include <cstring>
#include <filesystem>
#include <system_error>

#include "child.h"
#include "module_file.h"
#include "text_fields.h"

namespace sluice {
namespace {

namespace fs = std::filesystem;

constexpr int kInspectMs = 10'000;
constexpr std::string_view kFolderPrefix = "sluice-modules-";
constexpr int kAttempts = 10;
constexpr std::int64_t kCopyBytesMax = 64 * 1024 * 1024;
constexpr std::size_t kCopyPiece = 1024 * 1024;

// Whether the workers' user, who is another one when this is root, may go through all folders of the path. So
// also with `--user root`: a reload may choose another user, and the copies stay where they are.
bool is_open_to_workers(const fs::path& folder) {
  if (::geteuid() != 0) return true;
  struct stat status {};
  for (fs::path path = folder;; path = path.parent_path()) {
    if (::stat(path.c_str(), &status) != 0 || (status.st_mode & S_IXOTH) == 0) return false;
    if (!path.has_relative_path()) return true;
  }
}

// A folder whose files may be mapped as code, by the workers' user, too.
bool allows_code(const fs::path& folder) {
  struct statvfs system {};
  return ::statvfs(folder.c_str(), &system) == 0 && (system.f_flag & ST_NOEXEC) == 0 &&
         ::access(folder.c_str(), W_OK | X_OK) == 0 && is_open_to_workers(folder);
}

// Where the copies may be: what was asked for first, then folders that nothing tidies up.
std::vector<std::string> possible_bases() {
  std::vector<std::string> bases;
  for (const char* name : {"TMPDIR", "RUNTIME_DIRECTORY", "XDG_RUNTIME_DIR"}) {
    if (const char* folder = std::getenv(name)) bases.emplace_back(folder);
  }
  for (const char* folder : {"/run", "/tmp", "/var/tmp", "."}) bases.emplace_back(folder);
  return bases;
}

// Nothing when somebody else has locked it.
UniqueFd lock_folder(const std::string& path, int how) {
  UniqueFd folder(::open(path.c_str(), O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC));
  if (folder && ::flock(folder.get(), how | LOCK_NB) != 0) folder.reset();
  return folder;
}

// A server that was killed could not remove its folder, and holds no lock of it any more.
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

FileStamp stamp_from(const struct stat& status) {
  const auto nanoseconds = [](const timespec& time) {
    return std::int64_t{time.tv_sec} * 1'000'000'000 + time.tv_nsec;
  };
  return {status.st_dev, status.st_ino, status.st_size, nanoseconds(status.st_mtim),
          nanoseconds(status.st_ctim)};
}

// Whoever owns the program, or a folder on the way to it, could put another program in its place: refusing
// their modules would keep nobody out.
bool owns_program(uid_t user) {
  std::error_code error;
  fs::path path = fs::read_symlink("/proc/self/exe", error);
  for (; path.has_relative_path(); path = path.parent_path()) {
    struct stat status {};
    if (::stat(path.c_str(), &status) == 0 && status.st_uid == user) return true;
  }
  return false;
}

// `what`: "hello.so", or a folder.
Result<void> check_owner(const struct stat& status, const std::string& what) {
  const uid_t user = status.st_uid;
  if (user == 0 || user == ::geteuid() || owns_program(user)) return {};
  return fail(what + " belongs to user " + std::to_string(user) +
              ", who is neither root nor the one who started the server nor the owner of the program: change "
              "that with chown, or no module is loaded from there");
}

// Whoever may write the file decides what this server does. Groups are left out: where each user has a group of
// their own, a file that the group may write is the usual one.
Result<void> check_source(const struct stat& status, const std::string& file) {
  if (!S_ISREG(status.st_mode)) return fail(file + " is no regular file: put a shared object there");
  if ((status.st_mode & S_IWOTH) != 0) {
    return fail(file + " may be written by everybody: take that away with chmod o-w");
  }
  if (status.st_size > kCopyBytesMax)
    return fail(file + " is larger than 64 MiB: take its debugging symbols away with strip --strip-debug");
  return check_owner(status, file);
}

struct Source {
  UniqueFd fd;
  FileStamp stamp;
};

Result<Source> open_source(const std::string& folder, const std::string& file) {
  UniqueFd fd(::open((folder + "/" + file).c_str(), O_RDONLY | O_CLOEXEC | O_NONBLOCK));
  struct stat status {};
  if (!fd || ::fstat(fd.get(), &status) != 0) return fail_errno(file + " cannot be read", errno);
  const auto allowed = check_source(status, file);
  if (!allowed) return Unexpected(allowed.error());
  return Source{std::move(fd), stamp_from(status)};
}

// Whether the path still leads to what is open.
bool is_at(int fd, const std::string& path) {
  struct stat opened {};
  struct stat found {};
  return ::fstat(fd, &opened) == 0 && ::lstat(path.c_str(), &found) == 0 && opened.st_dev == found.st_dev &&
         opened.st_ino == found.st_ino;
}

// In the child.
std::string describe_module(const std::string& path, const std::string& file) {
  FieldWriter report;
  const auto module = ModuleFile::load(path, file);
  if (!module) return report.put(module.error().message).take();
  const ModuleInfo& info = (*module)->info();
  report.put("").put(info.name).put(info.version).put(info.summary);
  report.put(info.default_mount == nullptr ? "" : info.default_mount);
  report.put(info.abi_major).put(info.abi_minor).put(info.option_count);
  for (std::uint32_t i = 0; i < info.option_count; ++i) {
    const OptionInfo& option = (*module)->option(i);
    report.put(option.name).put(static_cast<std::uint64_t>(option.type));
    for (const char* text : {option.fallback, option.help, option.choices})
      report.put(text == nullptr ? "" : text);
  }
  return report.take();
}

ModuleReport parse_report(const std::string& text) {
  FieldReader fields(text);
  ModuleReport report;
  report.error = fields.next();
  if (!report.error.empty()) return report;
  report.name = fields.next();
  report.version = fields.next();
  report.summary = fields.next();
  report.default_mount = fields.next();
  report.abi_major = static_cast<unsigned>(fields.next_number());
  report.abi_minor = static_cast<unsigned>(fields.next_number());
  const std::uint64_t options = fields.next_number();
  for (std::uint64_t i = 0; i < options && !fields.at_end(); ++i) {
    OptionReport option;
    option.name = fields.next();
    option.type = static_cast<OptionType>(fields.next_number());
    option.fallback = fields.next();
    option.help = fields.next();
    option.choices = fields.next();
    report.options.push_back(std::move(option));
  }
  return report;
}

}  // namespace

std::vector<std::string> folders_for_code() {
  std::vector<std::string> folders;
  for (const std::string& named : possible_bases()) {
    // As the kernel names what is mapped: by that a copy is known again.
    std::error_code error;
    const fs::path base = fs::canonical(named, error);
    if (!error && allows_code(base)) folders.push_back(base.string());
  }
  return folders;
}

Error no_folder_for_code() {
  return Error{
      "no folder for private copies of modules: point TMPDIR to one that may be written, is not noexec, and, "
      "as root, lies in folders that everybody may pass (chmod o+x); a container has one with --tmpfs "
      "/tmp:exec"};
}

Result<std::unique_ptr<ModuleStore>> ModuleStore::create() {
  for (const fs::path base : folders_for_code()) {
    remove_stale_folders(base.string());
    // Another server that starts may take it for a left one, until it is locked.
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
  return begin_copy(std::move(source->fd), file, ++generations_[file], source->stamp)
      .map_error([](const Error& error) {
        return CopyFailure{error, true};
      });
}

Result<EmptyCopy> ModuleStore::begin_copy(const ModuleCopy& copy, const std::string& file) {
  if (const auto restored = restore(); !restored) return Unexpected(restored.error());
  UniqueFd from(::open(copy.path().c_str(), O_RDONLY | O_CLOEXEC));
  if (!from) return fail_errno(copy.path() + " cannot be read", errno);
  return begin_copy(std::move(from), file, copy.generation(), copy.stamp());
}

Result<EmptyCopy> ModuleStore::begin_copy(UniqueFd from, const std::string& file, std::uint32_t generation,
                                          const FileStamp& stamp) {
  if (const auto restored = restore_folder(); !restored) return Unexpected(restored.error());
  const std::string path =
      path_ + "/" + fs::path(file).stem().string() + "." + std::to_string(++copies_) + ".so";
  UniqueFd to(::open(path.c_str(), O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, 0755));
  if (!to) return fail_errno(file + " cannot be copied to a private place", errno);
  auto copy = std::make_shared<const ModuleCopy>(path, generation, stamp);
  if (::fchmod(to.get(), 0755) != 0) return fail_errno(file + " cannot be opened up to the workers", errno);
  UniqueFd content(::open(path.c_str(), O_RDONLY | O_CLOEXEC));
  if (!content) return fail_errno(path + " cannot be read", errno);
  std::erase_if(kept_, [](const Kept& kept) { return kept.copy.expired(); });
  kept_.push_back({copy, std::move(content)});
  return EmptyCopy{std::move(copy), file, std::move(from), std::move(to)};
}

Result<ModuleCopyPtr> ModuleStore::copy(const std::string& folder, const std::string& file) {
  auto begun = begin_copy(folder, file);
  if (!begun) return Unexpected(begun.error().error);
  const auto filled = begun->fill();
  if (!filled) return Unexpected(filled.error().error);
  return begun->copy;
}

Result<void> ModuleStore::restore() {
  if (const auto restored = restore_folder(); !restored) return restored;
  for (Kept& kept : kept_) {
    const ModuleCopyPtr copy = kept.copy.lock();
    if (copy == nullptr || is_at(kept.content.get(), copy->path())) continue;
    const auto restored = restore_copy(*copy, kept.content);
    if (!restored) return restored;
  }
  return {};
}

Result<void> ModuleStore::restore_folder() {
  if (is_at(lock_.get(), path_)) return {};
  const std::string what = "the folder " + path_ + " of private copies has gone, and cannot be made anew";
  // One that somebody else has made meanwhile is not ours to fill.
  if (::mkdir(path_.c_str(), 0755) != 0) return fail_errno(what, errno);
  lock_ = lock_folder(path_, LOCK_SH);
  if (!lock_ || ::fchmod(lock_.get(), 0755) != 0) return fail_errno(what, errno);
  return {};
}

Result<void> ModuleStore::restore_copy(const ModuleCopy& copy, UniqueFd& content) const {
  const std::string what = "the private copy " + copy.path() + " has gone, and cannot be made anew";
  const std::string draft = copy.path() + "~";
  ::unlink(draft.c_str());
  EmptyCopy again{nullptr, copy.path(), UniqueFd(::fcntl(content.get(), F_DUPFD_CLOEXEC, 0)),
                  UniqueFd(::open(draft.c_str(), O_RDWR | O_CREAT | O_EXCL | O_CLOEXEC, 0755))};
  if (!again.from || !again.to || ::lseek(again.from.get(), 0, SEEK_SET) != 0 ||
      ::fchmod(again.to.get(), 0755) != 0)
    return fail_errno(what, errno);
  const auto filled = again.fill();
  UniqueFd fresh(::open(draft.c_str(), O_RDONLY | O_CLOEXEC));
  if (filled && fresh && ::rename(draft.c_str(), copy.path().c_str()) == 0) {
    content = std::move(fresh);
    return {};
  }
  const int error_number = errno;
  ::unlink(draft.c_str());
  return filled ? fail_errno(what, error_number) : Unexpected(filled.error().error);
}

tl::expected<void, CopyFailure> EmptyCopy::fill() {
  const UniqueFd source = std::move(from);
  const UniqueFd target = std::move(to);
  for (std::int64_t copied = 0; copied <= kCopyBytesMax;) {
    const ssize_t moved = ::sendfile(target.get(), source.get(), nullptr, kCopyPiece);
    if (moved == 0) return {};
    if (moved < 0 && errno != EINTR) {
      // A full disk, a quota, a limit of sizes (write(2)); a file that cannot be read is its own fault.
      const bool of_place = errno == ENOSPC || errno == EDQUOT || errno == EFBIG || errno == EROFS;
      return tl::make_unexpected(
          CopyFailure{{file + " cannot be copied to a private place: " + std::strerror(errno)}, of_place});
    }
    if (moved > 0) copied += moved;
  }
  return tl::make_unexpected(
      CopyFailure{{file + " grows while it is copied: write it beside the folder and move it in"}});
}

ModuleCopy::ModuleCopy(std::string path, std::uint32_t generation, const FileStamp& stamp)
    : path_(std::move(path)), generation_(generation), stamp_(stamp), owner_(::getpid()) {}

ModuleCopy::~ModuleCopy() {
  if (owner_ == ::getpid()) ::unlink(path_.c_str());
}

bool is_module_file(std::string_view name) {
  return name.size() > 3 && name.ends_with(".so") && name.front() != '.';
}

std::optional<FileStamp> stamp_of(const std::string& path) {
  struct stat status {};
  if (::stat(path.c_str(), &status) != 0) return std::nullopt;
  return stamp_from(status);
}

Result<void> check_folder(const std::string& folder) {
  const std::string what = "the folder of modules " + folder;
  struct stat status {};
  if (::stat(folder.c_str(), &status) != 0) {
    return fail("cannot see whose " + what + " is: " + std::strerror(errno) + "; name another with --plugins");
  }
  if ((status.st_mode & S_IWOTH) != 0) {
    return fail(what +
                " may be written by everybody: take that away with chmod o-w, or no module is loaded from it");
  }
  return check_owner(status, what);
}

Result<std::vector<std::string>> list_modules(const std::string& folder) {
  std::error_code error;
  std::vector<std::string> files;
  fs::directory_iterator entry(folder, error);
  if (error) {
    return fail("cannot read the folder of modules " + folder + ": " + error.message() +
                "; name it with --plugins");
  }
  for (; entry != fs::directory_iterator(); entry.increment(error)) {
    const std::string name = entry->path().filename().string();
    if (is_module_file(name)) files.push_back(name);
    if (error) break;
  }
  std::sort(files.begin(), files.end());
  return files;
}

Result<std::vector<ModuleReport>> inspect_modules(const std::string& folder) {
  const auto files = list_modules(folder);
  if (!files) return Unexpected(files.error());
  const auto allowed = check_folder(folder);
  if (!allowed) return Unexpected(allowed.error());
  const auto store = ModuleStore::create();
  if (!store) return Unexpected(store.error());
  std::vector<ModuleReport> reports;
  for (const std::string& file : *files) {
    ModuleReport report;
    if (const auto copy = (*store)->copy(folder, file); !copy) {
      report.error = copy.error().message;
    } else if (const auto text =
                   run_in_child([&] { return describe_module((*copy)->path(), file); }, kInspectMs)) {
      report = parse_report(*text);
    } else {
      report.error = file + " " + text.error().message + " while it was loaded";
    }
    report.file = file;
    reports.push_back(std::move(report));
  }
  return reports;
}

}  // namespace sluice
