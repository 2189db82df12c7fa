#include "check/private_folder.h"

#include <fcntl.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cerrno>
#include <csignal>
#include <cstdlib>
#include <filesystem>
#include <system_error>
#include <utility>

#include "swap/module_store.h"

namespace sluice::cli {
namespace {

namespace fs = std::filesystem;

// Removes the folder when `life` ends, that is, when nobody holds the other end of the pipe any more.
[[noreturn]] void remove_at_end(const std::string& folder, int life) {
  for (const int signal : {SIGHUP, SIGINT, SIGTERM}) ::signal(signal, SIG_IGN);
  char byte = 0;
  while (::read(life, &byte, 1) < 0 && errno == EINTR) {
  }
  std::error_code ignored;
  fs::remove_all(folder, ignored);
  ::_exit(0);
}

}  // namespace

Result<std::unique_ptr<PrivateFolder>> PrivateFolder::create() {
  // A server would load modules from there, too.
  std::string path;
  for (const std::string& base : folders_for_code()) {
    path = base + "/sluice-check-XXXXXX";
    if (::mkdtemp(path.data()) != nullptr) break;
    path.clear();
  }
  if (path.empty()) return Unexpected(no_folder_for_code());
  std::unique_ptr<PrivateFolder> folder(new PrivateFolder(std::move(path)));
  int ends[2];
  if (::pipe2(ends, O_CLOEXEC) != 0) return fail_errno("cannot make a pipe", errno);
  const UniqueFd reading(ends[0]);
  folder->life_.reset(ends[1]);
  folder->remover_ = ::fork();
  if (folder->remover_ < 0) return fail_errno("cannot fork", errno);
  if (folder->remover_ == 0) {
    folder->life_.reset();
    remove_at_end(folder->path_, reading.get());
  }
  return folder;
}

PrivateFolder::~PrivateFolder() {
  std::error_code ignored;
  fs::remove_all(path_, ignored);
  if (remover_ <= 0) return;
  ::kill(remover_, SIGKILL);
  while (::waitpid(remover_, nullptr, 0) < 0 && errno == EINTR) {
  }
}

}  // namespace sluice::cli
