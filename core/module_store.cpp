#include "module_store.h"

#include <sys/stat.h>
#include <sys/statvfs.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <csignal>
#include <cstdlib>
#include <filesystem>
#include <system_error>

#include "child.h"
#include "module_file.h"

namespace sluice {
namespace {

namespace fs = std::filesystem;

constexpr int kInspectMs = 10'000;
constexpr std::string_view kFolderPrefix = "sluice-";

Result<std::vector<fs::path>> list_modules(const std::string& folder) {
  std::error_code error;
  std::vector<fs::path> files;
  fs::directory_iterator entry(folder, error);
  if (error) {
    return fail("cannot read the folder of modules " + folder + ": " + error.message() +
                "; name it with --plugins");
  }
  for (; entry != fs::directory_iterator(); entry.increment(error)) {
    const fs::path& path = entry->path();
    if (path.extension() == ".so" && path.filename().string().front() != '.') files.push_back(path);
    if (error) break;
  }
  std::sort(files.begin(), files.end());
  return files;
}

// A folder whose files may be mapped as code.
bool allows_code(const std::string& folder) {
  struct statvfs status {};
  return ::statvfs(folder.c_str(), &status) == 0 && (status.f_flag & ST_NOEXEC) == 0 &&
         ::access(folder.c_str(), W_OK | X_OK) == 0;
}

// A server that was killed could not remove its folder: "sluice-PID-XXXXXX".
void remove_stale_folders(const std::string& base) {
  std::error_code error;
  for (fs::directory_iterator entry(base, error); !error && entry != fs::directory_iterator();
       entry.increment(error)) {
    const std::string name = entry->path().filename().string();
    if (name.rfind(kFolderPrefix, 0) != 0) continue;
    const long pid = std::strtol(name.c_str() + kFolderPrefix.size(), nullptr, 10);
    struct stat status {};
    if (pid <= 0 || ::lstat(entry->path().c_str(), &status) != 0 || status.st_uid != ::geteuid()) continue;
    if (::kill(static_cast<pid_t>(pid), 0) == 0 || errno != ESRCH) continue;
    std::error_code ignored;
    fs::remove_all(entry->path(), ignored);
  }
}

// Texts with their lengths before them, so that a module's own may hold anything.
void put(std::string& out, std::string_view text) {
  out.append(std::to_string(text.size())).append(":").append(text);
}

class Fields {
 public:
  explicit Fields(std::string_view text) : left_(text) {}
  std::string next() {
    const std::size_t colon = left_.find(':');
    if (colon == std::string_view::npos) return {};
    const std::size_t size = std::min<std::size_t>(
        std::strtoul(std::string(left_.substr(0, colon)).c_str(), nullptr, 10), left_.size() - colon - 1);
    const std::string field(left_.substr(colon + 1, size));
    left_.remove_prefix(colon + 1 + size);
    return field;
  }
  unsigned next_number() { return static_cast<unsigned>(std::strtoul(next().c_str(), nullptr, 10)); }

 private:
  std::string_view left_;
};

// In the child.
std::string describe_module(const fs::path& path) {
  std::string report;
  const auto module = ModuleFile::load(path.string(), path.filename().string());
  if (!module) {
    put(report, module.error().message);
    return report;
  }
  const ModuleInfo& info = (*module)->info();
  put(report, "");
  for (const char* text : {info.name, info.version, info.summary}) put(report, text);
  put(report, info.default_mount == nullptr ? "" : info.default_mount);
  put(report, std::to_string(info.abi_major));
  put(report, std::to_string(info.abi_minor));
  put(report, std::to_string(info.option_count));
  for (std::uint32_t i = 0; i < info.option_count; ++i) {
    const OptionInfo& option = (*module)->option(i);
    put(report, option.name);
    put(report, std::to_string(static_cast<unsigned>(option.type)));
    for (const char* text : {option.fallback, option.help, option.choices})
      put(report, text == nullptr ? "" : text);
  }
  return report;
}

ModuleReport parse_report(const std::string& text) {
  Fields fields(text);
  ModuleReport report;
  report.error = fields.next();
  if (!report.error.empty()) return report;
  report.name = fields.next();
  report.version = fields.next();
  report.summary = fields.next();
  report.default_mount = fields.next();
  report.abi_major = fields.next_number();
  report.abi_minor = fields.next_number();
  const unsigned options = fields.next_number();
  for (unsigned i = 0; i < options; ++i) {
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

Result<std::unique_ptr<ModuleStore>> ModuleStore::create() {
  const char* wanted = std::getenv("TMPDIR");
  for (const char* base : {wanted, "/tmp", "/run", "/var/tmp", "."}) {
    if (base == nullptr || !allows_code(base)) continue;
    remove_stale_folders(base);
    std::string path =
        std::string(base) + "/" + std::string(kFolderPrefix) + std::to_string(::getpid()) + "-XXXXXX";
    if (::mkdtemp(path.data()) == nullptr) continue;
    // Workers read their copies as another user, who may not write here.
    if (::chmod(path.c_str(), 0755) != 0) return fail_errno("cannot open up " + path, errno);
    return std::unique_ptr<ModuleStore>(new ModuleStore(path));
  }
  return fail(
      "no folder for private copies of modules: point TMPDIR to one that may be written and is not noexec");
}

ModuleStore::~ModuleStore() {
  std::error_code ignored;
  fs::remove_all(path_, ignored);
}

ModuleCopies::~ModuleCopies() {
  std::error_code ignored;
  fs::remove_all(folder_, ignored);
}

Result<std::unique_ptr<ModuleCopies>> ModuleStore::copy_all(const std::string& folder) {
  const auto files = list_modules(folder);
  if (!files) return Unexpected(files.error());
  const std::string generation = std::to_string(++generation_);
  const fs::path target = fs::path(path_) / generation;
  std::error_code error;
  fs::create_directory(target, error);
  if (error) return fail("cannot make a private folder for modules: " + error.message());
  auto copies = std::make_unique<ModuleCopies>(target.string());
  fs::permissions(target, fs::perms(0755), error);
  for (const fs::path& file : *files) {
    const fs::path copy = target / (file.stem().string() + "." + generation + ".so");
    fs::copy_file(file, copy, error);
    if (error) return fail("cannot copy the module " + file.string() + ": " + error.message());
    fs::permissions(copy, fs::perms(0755), error);
    copies->all.push_back({file.filename().string(), copy.string()});
  }
  return copies;
}

Result<std::vector<ModuleReport>> inspect_modules(const std::string& folder) {
  const auto files = list_modules(folder);
  if (!files) return Unexpected(files.error());
  std::vector<ModuleReport> reports;
  for (const fs::path& file : *files) {
    const auto text = run_in_child([&file] { return describe_module(file); }, kInspectMs);
    ModuleReport report;
    if (text) {
      report = parse_report(*text);
    } else {
      report.error = file.filename().string() + " " + text.error().message + " while it was loaded";
    }
    report.file = file.filename().string();
    reports.push_back(std::move(report));
  }
  return reports;
}

}  // namespace sluice
