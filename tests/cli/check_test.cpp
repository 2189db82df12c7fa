// For each check of `sluice check` there is a module with that one fault: this check finds it, and no other
// does.
#include "check_command.h"

#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include <catch2/catch.hpp>
#include <csignal>
#include <cstdlib>
#include <filesystem>
#include <functional>
#include <sstream>

#include "check/inspection.h"
#include "check/report_text.h"
#include "cli/scratch.h"
#include "program.h"
#include "support/processor_time.h"
#include "support/temp_folder.h"

using namespace sluice;
using namespace sluice::cli;

namespace {

using Catch::Matchers::Contains;
using Catch::Matchers::EndsWith;
using Catch::Matchers::StartsWith;
using sluice::test::TempFolder;

const std::string kGood = SLUICE_TEST_PLUGINS "/";
const std::string kBad = SLUICE_TEST_MODULES "/bad/";

struct Outcome {
  int exit_code = 0;
  std::string out;
  std::string err;
};

Outcome run(std::vector<std::string> arguments) {
  std::ostringstream out;
  std::ostringstream err;
  arguments.insert(arguments.begin(), "check");
  const int exit_code = run_program(arguments, environment_of({}), out, err);
  return {exit_code, out.str(), err.str()};
}

CheckRequest request_for(const std::string& module, const MountOptions& options = {}) {
  CheckRequest request;
  request.file = kBad + module + ".so";
  request.options = options;
  request.handler_ms = 1'000;  // a busy machine must not accuse a module
  request.step_ms = 60'000;
  if (::geteuid() == 0) request.user = "root";  // root may read what the tests write
  return request;
}

// The findings of the steps with this name, by check.
std::map<std::string, std::string> found(const CheckRequest& request, const std::string& step_name) {
  const auto subject = ModuleUnderCheck::create(request);
  REQUIRE(subject);
  std::map<std::string, std::string> sentences;
  for (const Step& step : all_steps()) {
    if (step.check != step_name) continue;
    const StepResult result = run_step(**subject, step);
    for (const Finding& finding : result.findings.all()) {
      if (finding.verdict == Verdict::advice) sentences["advice"] += finding.check + ": " + finding.sentence;
      if (finding.verdict == Verdict::failed)
        sentences[finding.check] += finding.sentence + " @ " + finding.where;
    }
    if (result.findings.stopped()) break;
  }
  return sentences;
}

// For the message of a failure: what was found.
std::string text_of(const std::map<std::string, std::string>& sentences) {
  std::string text = "found:";
  for (const auto& [check, sentence] : sentences) text += "\n" + check + ": " + sentence;
  return text;
}

struct Expected {
  std::string module;
  MountOptions options;
  std::string step;
  std::string check;
  std::string sentence;
};

TEST_CASE("a module with one fault fails the check for it, and no other check of the step") {
  const Expected expected = GENERATE(values<Expected>({
      {"exports_more", {}, "libraries", "exports", "it exports more besides sluice_module"},
      {"unique_symbol", {}, "libraries", "unique-symbols", "counter"},
      {"thread_local_destructor", {}, "libraries", "thread-locals", "has a destructor"},
      {"execstack", {}, "libraries", "stack", "stack executable"},
      {"text_relocation", {}, "libraries", "text", "-fPIC"},
      {"missing_library", {}, "libraries", "libraries", "needs libmissing_at_run_time.so, which is not found"},
      {"undefined_symbol", {}, "libraries", "symbols", "nothing provides nobody_provides_this"},
      {"stripped", {}, "libraries", "advice", "debug-info"},
      {"initial_exec", {}, "libraries", "advice", "static-tls"},
      {"unique_symbol", {}, "create", "unload", "stays in memory"},
      {"thread_local_destructor", {}, "swap", "unload", "stays in memory"},
      {"silent_refusal", {{"how", "always"}}, "create", "create", "without a reason"},
      {"silent_refusal", {{"no_such", "x"}}, "create", "create", "has no option no_such"},
      {"silent_refusal", {}, "refusals", "refusals", "it refuses how=/ without a reason"},
      {"leaks_when_made", {{"what", "memory"}}, "lifecycle", "memory", "each handler leaves about"},
      {"leaks_when_made",
       {{"what", "descriptor"}},
       "lifecycle",
       "descriptors",
       "each handler leaves a descriptor"},
      {"leaks_when_made", {{"what", "thread"}}, "create", "threads", "a thread of it still runs"},
      {"leaks_when_made", {{"what", "hold"}}, "create", "holds", "still held"},
      {"leaks_when_asked", {{"what", "memory"}}, "requests", "memory", "each round of GET and POST leaves"},
      {"leaks_when_asked", {{"what", "descriptor"}}, "requests", "descriptors", "leaves a descriptor open"},
      {"leaks_when_asked", {{"what", "cancelled"}}, "departures", "memory", "each round of departing clients"},
      {"holds_loop_up", {{"how", "sleep"}}, "requests", "loop", "it slept on the loop"},
      {"holds_loop_up", {{"how", "nap"}}, "requests", "loop", "a little on the loop each time"},
      {"holds_loop_up", {{"how", "compute"}}, "requests", "loop", "it computed without a break"},
      {"never_resumes", {}, "requests", "answers", "a deferred answer is overdue"},
      {"breaks_http", {{"what", "control"}}, "requests", "fields", "its value has control bytes"},
      {"breaks_http", {{"what", "framing"}}, "requests", "fields", "only the server sends this field"},
      {"breaks_http", {{"what", "status"}}, "requests", "fields", "it set the status 99"},
      {"breaks_http", {{"what", "head"}}, "requests", "head", "differ in 'X-Head: yes'"},
      {"ends_process", {{"where", "create"}}, "create", "create", "crashed (SIGABRT)"},
      {"ends_process", {{"where", "destroy"}}, "lifecycle", "lifecycle", "one of its handlers is destroyed"},
      {"ends_process", {{"where", "post"}}, "bodies", "bodies", "POST /ends_process/ is answered"},
      {"ends_process", {{"where", "post"}}, "departures", "departures", "leaves in a POST"},
      {"loses_bytes", {}, "pacing", "pacing", "its content is another than usual"},
      {"forgets_at_retire", {}, "swap", "swap", "the answer ends too early"},
      {"forgets_work", {}, "bodies", "bodies", "destroys a Reader before end()"},
      {"forgets_work", {}, "departures", "departures", "destroys a Body, Task or Reader"},
      {"keeps_departed", {}, "departures", "holds", "still held"},
      {"../never", {}, "pacing", "answers", "neither answered nor deferred"},
      {"../twice", {}, "bodies", "answers", "it answered a request twice"},
      {"../overrun", {}, "pacing", "lengths", "more than it had declared"},
      {"../underrun", {}, "pacing", "lengths", "less than it had declared"},
      {"../fails", {}, "pacing", "answers", "the answer ends too early"},
      {"../thrower", {}, "pacing", "exceptions", "it threw thrown in handle"},
  }));
  INFO(expected.module << " in step " << expected.step);
  const auto sentences = found(request_for(expected.module, expected.options), expected.step);
  INFO(text_of(sentences));
  REQUIRE(sentences.contains(expected.check));
  CHECK_THAT(sentences.at(expected.check), Contains(expected.sentence));
  CHECK(sentences.size() == 1);
}

TEST_CASE("waiting for a page from the disk is advice, and no failure") {
  const TempFolder folder(kBad);  // on the disk of the build: the default folder may be in memory
  folder.write("page", "");
  std::filesystem::resize_file(folder / "page",
                               1);  // a hole is clean, so its page can be dropped each time
  if (!folder.make_cold("page")) return;
  const auto sentences = found(request_for("holds_loop_up", {{"how", folder / "page"}}), "requests");
  INFO(text_of(sentences));
  REQUIRE(sentences.contains("advice"));
  CHECK_THAT(sentences.at("advice"),
             Contains("loop: it waited on the loop for pages that were read from a disk"));
  CHECK(sentences.size() == 1);
}

TEST_CASE("a module's description is judged before it is used") {
  const auto sentences = found(request_for("description"), "load");
  INFO(text_of(sentences));
  CHECK_THAT(sentences.at("description"), Contains("two words"));
  CHECK_THAT(sentences.at("options"), Contains("'many' is not a number") && Contains("two options limit"));
  CHECK_THAT(sentences.at("mount"), Contains("begins with '/'"));
  CHECK_THAT(sentences.at("advice"), Contains("the option wait has no unit") && Contains("write 20ms"));
  CHECK_THAT(found(request_for("../abi_wrong_major"), "load").at("load"), Contains("build it again"));
  CHECK_THAT(found(request_for("../abi_no_symbol"), "load").at("load"), Contains("write SLUICE_MODULE"));
}

TEST_CASE("a module that hangs is given up") {
  CheckRequest request = request_for("ends_process", {{"where", "hang"}});
  request.step_ms = 2'000;
  const auto sentences = found(request, "requests");
  INFO(text_of(sentences));
  CHECK_THAT(sentences.at("requests"), Contains("did not finish within") && Contains("Host::offload"));
}

TEST_CASE("after a crash in creation the other checks are reported as untried") {
  const Outcome outcome = run({kBad + "ends_process.so", "--option", "where=create"});
  CHECK(outcome.exit_code == 1);
  CHECK_THAT(outcome.out,
             Contains("FAIL    create          while it is created, the process crashed (SIGABRT)"));
  CHECK_THAT(outcome.out, Contains("untried refusals, lifecycle, unload"));
  CHECK_THAT(outcome.out, EndsWith("ends_process.so: 1 of 33 checks failed\n"));
}

TEST_CASE("damaged files fail to load") {
  const ScratchFolder scratch;
  const std::string whole = [] {
    std::ostringstream text;
    text << std::ifstream(kGood + "hello.so", std::ios::binary).rdbuf();
    return text.str();
  }();
  for (const std::string& content :
       {std::string(), std::string("text"), whole.substr(0, 100), whole.substr(0, whole.size() / 2)}) {
    const Outcome outcome = run({scratch.file("damaged.so", content)});
    CHECK(outcome.exit_code == 1);
    CHECK_THAT(outcome.out, Contains("FAIL    load "));
  }
}

TEST_CASE("the modules of sluice itself are clean") {
  const std::string name = GENERATE("hello.so", "static_sendfile.so", "dynamic_aio.so", "status.so");
  const Outcome outcome = run({kGood + name, "--request", "folder/index.html"});
  INFO(outcome.out);
  CHECK(outcome.exit_code == 0);
  CHECK_THAT(outcome.out, Contains(name + " is clean: "));
  CHECK(outcome.err.empty());
}

TEST_CASE("modules that only look wrong are clean") {
  struct Innocent {
    std::string module;
    std::vector<std::string> requests;
  };
  const Innocent innocent = GENERATE(values<Innocent>({{"beside", {}},
                                                       {"endless", {"events", "flood"}},
                                                       {"large", {}},
                                                       {"keeps_pieces", {}},
                                                       {"other_runtime", {}},
                                                       {"writes_files", {}}}));
  CheckRequest request = request_for("../innocent/" + innocent.module);
  request.requests = innocent.requests;
  const auto subject = ModuleUnderCheck::create(request);
  REQUIRE(subject);
  const CheckReport report = inspect(**subject);
  INFO(format_table(report));
  CHECK(report.clean());
}

TEST_CASE("root's check runs as the workers' user, and leaves no files of root") {
  if (::geteuid() != 0) return;
  const TempFolder folder;
  REQUIRE(::chmod(folder.path.c_str(), 0777) == 0);
  const std::string module = SLUICE_TEST_MODULES "/innocent/writes_files.so";
  const Outcome outcome = run({module, "--option", "file=" + (folder / "kept")});
  INFO(outcome.out << outcome.err);
  CHECK(outcome.exit_code == 0);
  struct stat status {};
  REQUIRE(::stat((folder / "kept").c_str(), &status) == 0);
  CHECK(status.st_uid != 0);
  // The check tries this value for the option, and the module writes a file of that name.
  CHECK_FALSE(std::filesystem::exists("sluice check"));
  CHECK_THAT(run({module, "--user", "nobody-of-that-name"}).err,
             Contains("there is no user nobody-of-that-name"));
}

TEST_CASE("malformed findings of a child process are ignored") {
  SharedText text(8);
  text.set("12345678");
  CHECK(text.get() == "12345678");
  CHECK(Findings::decode("fno-such-check\tsentence\t\nf\t\t\n\t\t\nx\n").all().empty());
}

TEST_CASE("the report can be JSON or JUnit's XML") {
  const std::string module = kBad + "silent_refusal.so";
  const Outcome json = run({"--json", module, "--option", "how=always"});
  CHECK(json.exit_code == 1);
  CHECK_THAT(json.out, StartsWith("{\"file\": \"") && Contains("\"clean\": false"));
  CHECK_THAT(json.out, Contains("{\"check\": \"exports\", \"verdict\": \"ok\", \"sentences\": [\""));
  CHECK_THAT(json.out, Contains("\"check\": \"create\", \"verdict\": \"FAIL\", \"sentences\": [\"it refuses"));
  const Outcome junit = run({module, "--option", "how=always", "--junit"});
  CHECK(junit.exit_code == 1);
  CHECK_THAT(junit.out, Contains("failures=\"1\"") && Contains("name=\"exports\"/>"));
  CHECK_THAT(junit.out, Contains("name=\"create\"><failure message=\"it refuses"));
  CHECK_THAT(junit.out, Contains("name=\"swap\"><skipped"));
}

TEST_CASE("sentences are escaped for JSON and XML") {
  CheckReport report{"a\"b.so", {{"options", Verdict::advice, {"\"x\" < y & \\z"}}}};
  CHECK_THAT(format_json(report), Contains(R"("a\"b.so")") && Contains(R"("\"x\" < y & \\z")"));
  CHECK_THAT(format_junit(report),
             Contains("a&quot;b.so") && Contains("&quot;x&quot; &lt; y &amp; \\z</system-out>"));
}

TEST_CASE("advice never displaces a failure, and all findings have room") {
  SharedText copy(kFindingsSizeMax);
  Findings findings(copy);
  for (const CheckText& check : all_checks()) {
    for (char letter = 'a'; letter < 'f'; ++letter)
      findings.advise(check.name, std::string(1000, letter), std::string(1000, 'w'));
    for (char letter = 'a'; letter < 'f'; ++letter)
      findings.fail(check.name, std::string(1000, letter), std::string(1000, 'w'));
  }
  const Findings taken = Findings::decode(copy.get());
  CHECK(taken.all().size() == all_checks().size() * 6);
  for (const CheckText& check : all_checks()) CHECK(taken.failed(check.name));
  CHECK(taken.all().back().where == std::string(kFindingTextMax - 3, 'w') + "...");
}

TEST_CASE("a shared text without memory says so, and stays empty") {
  SharedText none(std::size_t{1} << 62);
  CHECK_FALSE(none.has_memory());
  none.set("text");
  CHECK(none.get().empty());
  SharedText some(2);
  CHECK(some.has_memory());
  some.set("text");
  CHECK(some.get() == "te");
}

TEST_CASE("a module that stays in memory is found when TMPDIR is a symbolic link") {
  const ScratchFolder scratch;
  std::filesystem::create_directory_symlink(scratch.folder("real"), scratch.path("link"));
  const char* before = std::getenv("TMPDIR");
  const std::string kept = before == nullptr ? "" : before;
  ::setenv("TMPDIR", scratch.path("link").c_str(), 1);
  const auto sentences = found(request_for("unique_symbol"), "create");
  if (before == nullptr) {
    ::unsetenv("TMPDIR");
  } else {
    ::setenv("TMPDIR", kept.c_str(), 1);
  }
  INFO(text_of(sentences));
  CHECK(sentences.contains("unload"));
  CHECK(std::filesystem::is_empty(scratch.path("real")));
}

// Whether a process of that group, apart from its leader, has worked for a while: the module hangs in it.
bool child_is_busy(pid_t group) {
  for (const auto& entry : std::filesystem::directory_iterator("/proc")) {
    const pid_t pid = std::atoi(entry.path().filename().c_str());
    if (pid > 0 && pid != group && ::getpgid(pid) == group && sluice::test::processor_seconds(pid) >= 0.05)
      return true;
  }
  return false;
}

TEST_CASE("a check that is killed leaves no process and no folder behind") {
  const int signal = GENERATE(SIGINT, SIGTERM, SIGKILL);
  const ScratchFolder scratch;
  const std::string folder = scratch.folder("tmp");
  // As root, the steps run as the workers' user, who has to be able to get there.
  for (const std::string& path : {std::filesystem::path(folder).parent_path().string(), folder})
    REQUIRE(::chmod(path.c_str(), 0755) == 0);
  const std::string module = kBad + "ends_process.so";
  const pid_t pid = ::fork();
  REQUIRE(pid >= 0);
  if (pid == 0) {
    ::setpgid(0, 0);
    ::setenv("TMPDIR", folder.c_str(), 1);
    ::execl(SLUICE_BINARY, "sluice", "check", module.c_str(), "--option", "where=hang", "--step-timeout", "60s",
            nullptr);
    ::_exit(127);
  }
  const auto eventually = [](const std::function<bool()>& happened) {
    for (int i = 0; i < 6'000 && !happened(); ++i) ::usleep(10'000);
    return happened();
  };
  CHECK(eventually([&] { return child_is_busy(pid); }));
  CHECK_FALSE(std::filesystem::is_empty(folder));
  CHECK(::kill(pid, signal) == 0);
  CHECK(::waitpid(pid, nullptr, 0) == pid);
  CHECK(eventually([&] { return ::kill(-pid, 0) != 0 && std::filesystem::is_empty(folder); }));
}

TEST_CASE("arguments that cannot be used are refused with a sentence") {
  const std::string hello = kGood + "hello.so";
  const ScratchFolder scratch;
  CHECK_THAT(run({scratch.path("none.so")}).err, Contains("there is no module") && Contains("none.so"));
  CHECK_THAT(run({hello, "--option", "limit"}).err, Contains("write it as --option KEY=VALUE"));
  CHECK_THAT(run({hello, "--request", "a b"}).err, Contains("write a space as %20"));
  CHECK_THAT(run({hello, "--root", scratch.path("none")}).err, Contains("cannot be opened"));
  CHECK_THAT(run({hello, "--step-timeout", "soon"}).err, Contains("--step-timeout: 'soon' is not a time"));
  CHECK_THAT(run({hello, "--handler-timeout", "1ms"}).err, Contains("out of range"));
  CHECK(run({hello, "--option", "limit"}).exit_code == 1);
  CHECK(run({}).exit_code > 100);
  CHECK(run({hello, "--json", "--junit"}).exit_code > 100);
}

}  // namespace
