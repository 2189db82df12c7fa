#include "check/mounted_module.h"

namespace sluice::cli {
namespace {

constexpr const char* kPaths[] = {"", "sample.txt?name=value", "large.txt", "folder/", "no/such/path"};
constexpr std::uint64_t kSmallMax = 64 * 1024;

}  // namespace

std::unique_ptr<MountedModule> MountedModule::create(const ModuleUnderCheck& subject, std::string_view step,
                                                     Findings& findings) {
  std::unique_ptr<MountedModule> mounted(new MountedModule);
  auto worker = TestWorker::create(subject, findings);
  if (!worker) {
    findings.fail(step, worker.error().message);
    return nullptr;
  }
  mounted->worker_ = std::move(*worker);
  auto generation = mounted->worker_->load(0);
  if (!generation) {
    findings.fail(step, generation.error().message);
    return nullptr;
  }
  mounted->generation_ = std::move(*generation);
  mounted->worker_->mount(mounted->generation_);
  for (const char* path : kPaths) mounted->targets_.push_back(mounted->worker_->target(path));
  for (const std::string& path : subject.request().requests) {
    mounted->targets_.push_back(mounted->worker_->target(path));
  }
  return mounted;
}

MountedModule::~MountedModule() {
  if (generation_.handler && !generation_.handler->retired()) worker_->retire(generation_);
}

std::vector<std::string> MountedModule::small_targets() {
  std::vector<std::string> small;
  for (const std::string& target : targets_) {
    const auto answer = worker_->ask("GET", target);
    if (worker_->overdue()) break;
    if (answer && answer->size <= kSmallMax) small.push_back(target);
  }
  return small;
}

std::optional<MountedModule::Reference> MountedModule::longest() {
  std::optional<Reference> longest;
  for (const std::string& target : targets_) {
    const auto answer = worker_->ask("GET", target);
    if (worker_->overdue()) return std::nullopt;
    const auto is_longer = [](const ClientAnswer& one, const ClientAnswer& other) {
      return one.endless != other.endless ? other.endless : one.size > other.size;
    };
    if (answer && (!longest || is_longer(*answer, longest->answer))) longest = Reference{target, *answer};
  }
  if (longest)
    longest->stable = !longest->answer.endless && worker_->ask("GET", longest->target) == longest->answer;
  return longest;
}

}  // namespace sluice::cli
