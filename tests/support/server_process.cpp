#include "support/server_process.h"

#include <fcntl.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <chrono>
#include <csignal>
#include <cstdlib>
#include <cstring>
#include <exception>
#include <filesystem>
#include <fstream>
#include <iostream>
#include <iterator>
#include <random>
#include <sstream>
#include <stdexcept>
#include <thread>

namespace sluice::test {
namespace {

namespace fs = std::filesystem;

constexpr int kPollMs = 5;

std::string setting(const char* name, const char* built_in) {
  const char* given = std::getenv(name);
  return given != nullptr && *given != '\0' ? given : built_in;
}

std::string read_file(const fs::path& path) {
  std::ifstream file(path, std::ios::binary);
  std::ostringstream text;
  text << file.rdbuf();
  return text.str();
}

// Variables in the test's own environment must not change the server under test.
std::vector<std::string> environment_with(const Variables& variables) {
  std::vector<std::string> result;
  for (char** entry = environ; *entry != nullptr; ++entry) {
    const std::string name = std::string(*entry).substr(0, std::string_view(*entry).find('='));
    if (!name.starts_with("SLUICE_") && !variables.contains(name)) result.emplace_back(*entry);
  }
  for (const auto& [name, value] : variables) result.push_back(name + "=" + value);
  return result;
}

std::vector<char*> pointers(const std::vector<std::string>& texts) {
  std::vector<char*> result;
  for (const std::string& text : texts) result.push_back(const_cast<char*>(text.c_str()));
  result.push_back(nullptr);
  return result;
}

// The parent and the name of a process; nothing when it is gone.
struct ProcessFacts {
  pid_t parent = -1;
  std::string name;
};
ProcessFacts facts_of(const std::string& pid) {
  const std::string stat = read_file("/proc/" + pid + "/stat");
  const std::size_t open = stat.find('(');
  const std::size_t close = stat.rfind(')');
  if (open == std::string::npos || close == std::string::npos) return {};
  char state = 0;
  ProcessFacts facts;
  std::istringstream rest(stat.substr(close + 1));
  rest >> state >> facts.parent;
  if (state == 'Z') return {};
  facts.name = stat.substr(open + 1, close - open - 1);
  return facts;
}

std::vector<std::string> with_listen(std::vector<std::string> more, const Variables& variables) {
  if (std::find(more.begin(), more.end(), "--listen") == more.end() && !variables.contains("SLUICE_LISTEN")) {
    more.insert(more.end(), {"--listen", "127.0.0.1:0"});
  }
  return more;
}

// Puts the control socket beside the site, so that other servers of the machine do not matter.
Variables with_control_folder(const Site& site, Variables variables) {
  variables.emplace("RUNTIME_DIRECTORY", site.path("run"));
  return variables;
}

}  // namespace

bool eventually(const std::function<bool()>& is_so, int limit_ms) {
  const auto until = std::chrono::steady_clock::now() + std::chrono::milliseconds(limit_ms);
  while (!is_so()) {
    if (std::chrono::steady_clock::now() >= until) return false;
    std::this_thread::sleep_for(std::chrono::milliseconds(kPollMs));
  }
  return true;
}

ScratchFolder::ScratchFolder() {
  std::string pattern = (fs::temp_directory_path() / "sluice-test-XXXXXX").string();
  if (::mkdtemp(pattern.data()) == nullptr) throw std::runtime_error("mkdtemp fails");
  path_ = pattern;
  ::chmod(path_.c_str(), 0755);  // workers may be another user
}

ScratchFolder::~ScratchFolder() {
  std::error_code ignored;
  fs::remove_all(path_, ignored);
}

void ScratchFolder::write(const std::string& name, std::string_view content) const {
  fs::create_directories(fs::path(path(name)).parent_path());
  std::ofstream file(path(name), std::ios::binary | std::ios::trunc);
  file.write(content.data(), static_cast<std::streamsize>(content.size()));
  file.close();
  if (!file) throw std::runtime_error("cannot write " + path(name));
}

std::string ScratchFolder::read(const std::string& name) const {
  return read_file(path(name));
}

void ScratchFolder::link(const std::string& name, const std::string& target) const {
  fs::create_directories(fs::path(path(name)).parent_path());
  fs::create_symlink(target, path(name));
}

void ScratchFolder::make_folder(const std::string& name) const {
  fs::create_directories(path(name));
}

Process::Process(const std::vector<std::string>& arguments, const Variables& variables,
                 const std::string& folder, const BeforeExec& before_exec) {
  const std::vector<std::string> environment = environment_with(variables);
  std::vector<char*> argv = pointers(arguments);
  std::vector<char*> envp = pointers(environment);
  const std::string out_path = scratch_.path("out");
  const std::string err_path = scratch_.path("err");
  pid_ = ::fork();
  if (pid_ < 0) throw std::runtime_error("fork fails");
  if (pid_ > 0) return;
  const int in = ::open("/dev/null", O_RDONLY);
  const int out = ::open(out_path.c_str(), O_WRONLY | O_CREAT | O_APPEND, 0644);
  const int err = ::open(err_path.c_str(), O_WRONLY | O_CREAT | O_APPEND, 0644);
  ::dup2(in, STDIN_FILENO);
  ::dup2(out, STDOUT_FILENO);
  ::dup2(err, STDERR_FILENO);
  for (const int fd : {in, out, err}) {
    if (fd > STDERR_FILENO) ::close(fd);
  }
  sigset_t none;
  sigemptyset(&none);
  ::sigprocmask(SIG_SETMASK, &none, nullptr);
  if (before_exec) before_exec();
  if (folder.empty() || ::chdir(folder.c_str()) == 0) ::execvpe(argv[0], argv.data(), envp.data());
  ::_exit(127);
}

Process::~Process() {
  if (!running()) return;
  ::kill(pid_, SIGKILL);
  wait();
}

bool Process::running() {
  return !ended_ && wait(0) == -1;
}

void Process::signal(int number) {
  if (running()) ::kill(pid_, number);
}

int Process::wait(int limit_ms) {
  if (ended_) return code_;
  eventually(
      [this] {
        int status = 0;
        if (::waitpid(pid_, &status, WNOHANG) != pid_) return false;
        ended_ = true;
        code_ = WIFEXITED(status) ? WEXITSTATUS(status) : 128 + WTERMSIG(status);
        return true;
      },
      limit_ms);
  return code_;
}

Outcome run(const std::vector<std::string>& arguments, const Variables& variables, const std::string& folder,
            int limit_ms, const BeforeExec& before_exec) {
  Process process(arguments, variables, folder, before_exec);
  Outcome outcome;
  outcome.code = process.wait(limit_ms);
  outcome.out = process.out();
  outcome.err = process.err();
  return outcome;
}

std::string sluice_binary() {
  return setting("SLUICE_BINARY", SLUICE_BINARY);
}

std::string module_file(const std::string& name) {
  const std::string product = setting("SLUICE_TEST_PLUGINS", SLUICE_TEST_PLUGINS) + "/" + name + ".so";
  return fs::exists(product) ? product
                             : setting("SLUICE_TEST_MODULES", SLUICE_TEST_MODULES) + "/" + name + ".so";
}

bool has_module(const std::string& name) {
  return fs::exists(module_file(name));
}

Site::Site(const std::vector<std::string>& modules) {
  folder_.make_folder("root");
  folder_.make_folder("plugins.d");
  for (const std::string& name : modules) add_module(name);
}

void Site::add_module(const std::string& name) const {
  fs::copy_file(module_file(name), plugins() + "/" + name + ".so", fs::copy_options::overwrite_existing);
}

std::string Site::write_beside(const std::string& name, std::string_view content) const {
  folder_.write(name, content);
  return folder_.path(name);
}

std::vector<std::string> Site::command(const std::vector<std::string>& more) const {
  std::vector<std::string> result{sluice_binary(), "serve", "--root", root(), "--plugins", plugins()};
  result.insert(result.end(), more.begin(), more.end());
  return result;
}

ServerProcess::ServerProcess(const Site& site, const std::vector<std::string>& more, const Variables& variables,
                             const BeforeExec& before_exec)
    : process_(site.command(with_listen(more, variables)), with_control_folder(site, variables), "",
               before_exec) {
  const bool serves = eventually(
      [this] { return process_.out().find("; stop with Ctrl-C") != std::string::npos || !process_.running(); });
  if (!serves || !process_.running()) {
    throw std::runtime_error("the server does not start; its output:\n" + process_.out() + process_.err());
  }
  find_endpoint();
}

ServerProcess::~ServerProcess() {
  const std::vector<pid_t> left = workers();
  if (std::uncaught_exceptions() > 0 || log_tells_of_trouble())
    std::cerr << "the server's log:\n" << process_.err() << std::flush;
  if (process_.running()) {
    process_.signal(SIGTERM);
    process_.signal(SIGTERM);
    process_.wait(2000);
    process_.signal(SIGKILL);
  }
  for (const pid_t worker : left) {
    if (facts_of(std::to_string(worker)).name == "sluice-worker") ::kill(worker, SIGKILL);
  }
}

void ServerProcess::find_endpoint() {
  const std::string out = process_.out();
  const std::size_t url = out.find("http://");
  if (url != std::string::npos) {
    const std::size_t colon = out.find(':', url + 7);
    endpoint_.port = static_cast<std::uint16_t>(std::strtoul(out.c_str() + colon + 1, nullptr, 10));
    return;
  }
  const std::size_t path = out.find("unix:");
  if (path == std::string::npos) throw std::runtime_error("the server names no address:\n" + out);
  // In the output the mount follows the path of the socket without a space.
  fs::path socket = out.substr(path + 5, out.find_first_of(" \n", path) - path - 5);
  while (socket.has_relative_path() && !fs::is_socket(socket)) socket = socket.parent_path();
  endpoint_.unix_path = socket.string();
}

std::string ServerProcess::url(const std::string& target) const {
  return "http://127.0.0.1:" + std::to_string(endpoint_.port) + target;
}

std::vector<pid_t> ServerProcess::workers() const {
  std::vector<pid_t> result;
  for (const auto& entry : fs::directory_iterator("/proc")) {
    const std::string name = entry.path().filename().string();
    if (name.find_first_not_of("0123456789") != std::string::npos) continue;
    const ProcessFacts facts = facts_of(name);
    if (facts.parent == process_.pid() && facts.name == "sluice-worker") {
      result.push_back(static_cast<pid_t>(std::strtol(name.c_str(), nullptr, 10)));
    }
  }
  std::sort(result.begin(), result.end());
  return result;
}

bool ServerProcess::logs(std::string_view text, int limit_ms) const {
  return eventually([&] { return log().find(text) != std::string::npos; }, limit_ms);
}

std::size_t ServerProcess::count_in_log(std::string_view text) const {
  const std::string all = log();
  std::size_t count = 0;
  for (std::size_t at = all.find(text); at != std::string::npos; at = all.find(text, at + text.size())) ++count;
  return count;
}

bool ServerProcess::log_tells_of_trouble() const {
  const std::string all = log();
  constexpr std::string_view kTroubles[] = {
      "was killed by SIGSEGV", "was killed by SIGABRT", "was killed by SIGBUS", "Sanitizer",
      "runtime error:",        "ended with exit code",  "please report this"};
  return std::any_of(std::begin(kTroubles), std::end(kTroubles),
                     [&](std::string_view trouble) { return all.find(trouble) != std::string::npos; });
}

int ServerProcess::stop() {
  process_.signal(SIGTERM);
  int code = process_.wait();
  if (code == 0 && log_tells_of_trouble()) code = kStoppedBroken;
  if (code != 0) std::cerr << "the server's log:\n" << process_.err() << std::flush;
  return code;
}

bool ServerProcess::reload() {
  constexpr std::string_view kDone = "supervisor: reloaded";
  constexpr std::string_view kRefused = "not reloaded";
  const std::size_t done = count_in_log(kDone);
  const std::size_t refused = count_in_log(kRefused);
  process_.signal(SIGHUP);
  const bool ended = eventually([&] { return count_in_log(kDone) > done || count_in_log(kRefused) > refused; });
  if (!ended) throw std::runtime_error("HUP is not followed; the log:\n" + log());
  return count_in_log(kDone) > done;
}

std::string random_bytes(std::size_t size, unsigned seed) {
  std::mt19937_64 engine(seed);
  std::string bytes(size, '\0');
  for (std::size_t at = 0; at < size; at += sizeof(std::uint64_t)) {
    const std::uint64_t word = engine();
    std::memcpy(bytes.data() + at, &word, std::min(sizeof(word), size - at));
  }
  return bytes;
}

}  // namespace sluice::test
