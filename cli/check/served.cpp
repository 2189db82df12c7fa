#include "check/served.h"

namespace sluice::cli {
namespace {

constexpr const char* kPaths[] = {"", "sample.txt?name=value", "large.txt", "folder/", "no/such/path"};
constexpr std::uint64_t kSmallMax = 64 * 1024;

}  // namespace

std::unique_ptr<Served> Served::create(const Subject& subject, std::string_view step, Findings& findings) {
  std::unique_ptr<Served> served(new Served);
  auto stand = Stand::create(subject, findings);
  if (!stand) {
    findings.fail(step, stand.error().message);
    return nullptr;
  }
  served->stand_ = std::move(*stand);
  auto generation = served->stand_->load(0);
  if (!generation) {
    findings.fail(step, generation.error().message);
    return nullptr;
  }
  served->generation_ = std::move(*generation);
  served->stand_->mount(served->generation_);
  for (const char* path : kPaths) served->targets_.push_back(served->stand_->target(path));
  for (const std::string& path : subject.request().requests) {
    served->targets_.push_back(served->stand_->target(path));
  }
  return served;
}

Served::~Served() {
  if (generation_.handler && !generation_.handler->retired()) stand_->retire(generation_);
}

std::vector<std::string> Served::small_targets() {
  std::vector<std::string> small;
  for (const std::string& target : targets_) {
    const auto answer = stand_->ask("GET", target);
    if (stand_->overdue()) break;
    if (answer && answer->size <= kSmallMax) small.push_back(target);
  }
  return small;
}

std::optional<Served::Reference> Served::longest() {
  std::optional<Reference> longest;
  for (const std::string& target : targets_) {
    const auto answer = stand_->ask("GET", target);
    if (stand_->overdue()) return std::nullopt;
    const auto is_longer = [](const ClientAnswer& one, const ClientAnswer& other) {
      return one.endless != other.endless ? other.endless : one.size > other.size;
    };
    if (answer && (!longest || is_longer(*answer, longest->answer))) longest = Reference{target, *answer};
  }
  if (longest)
    longest->stable = !longest->answer.endless && stand_->ask("GET", longest->target) == longest->answer;
  return longest;
}

}  // namespace sluice::cli
