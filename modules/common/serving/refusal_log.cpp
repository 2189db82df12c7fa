#include "common/serving/refusal_log.h"

#include <memory>
#include <utility>

#include "common/serving/open_faults.h"

namespace sluice::files {

class RefusalLog::Search final : public Work {
 public:
  Search(RefusalLog& log, std::string path) : log_(log), path_(std::move(path)) {}
  void run() override {
    RefusedPlace refused = find_refused(log_.folder_fd_, path_, log_.links_);
    name_ = std::move(refused.name);
    sentence_ = "403, because " + refused.sentence;
  }
  void done(bool ran) override {
    if (ran) log_.found(std::move(name_), sentence_);
  }

 private:
  RefusalLog& log_;
  const std::string path_;
  std::string name_;
  std::string sentence_;
};

void RefusalLog::note(const std::string& path) {
  const std::uint64_t now_ms = host_.now_ms();
  if (now_ms >= forget_at_ms_) {
    told_.clear();
    last_path_.clear();
    forget_at_ms_ = now_ms + kForgetMs;
  }
  if (told_.size() >= kNamesMax || now_ms < search_at_ms_ || path == last_path_) return;
  auto work = std::make_unique<Search>(*this, path);
  if (!host_.offload(work.get())) return;
  static_cast<void>(work.release());
  last_path_ = path;
  search_at_ms_ = now_ms + kSearchEveryMs;
}

void RefusalLog::found(std::string name, const std::string& sentence) {
  if (told_.insert(std::move(name)).second) host_.log(LogLevel::warning, sentence);
}

}  // namespace sluice::files
