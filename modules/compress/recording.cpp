#include "compress/recording.h"

#include <exception>

#include "compress/whole_coder.h"

namespace sluice::compress {
namespace {

class MakeVariant final : public Work {
 public:
  MakeVariant(Host& host, std::shared_ptr<Variants> variants, std::string key, std::uint64_t attempt,
              files::Coding coding, std::string content)
      : host_(host),
        variants_(std::move(variants)),
        key_(std::move(key)),
        attempt_(attempt),
        coding_(coding),
        content_(std::move(content)) {}

  void run() override {
    try {
      coded_ = code_whole(coding_, content_);
      is_made_ = true;
    } catch (const std::exception& error) {
      why_not_ = error.what();
    }
  }

  void done(bool) override {
    if (is_made_) return variants_->made(key_, attempt_, std::move(coded_));
    variants_->given_up(key_, attempt_);
    if (!why_not_.empty()) host_.log(LogLevel::warning, "content could not be coded to be kept: " + why_not_);
  }

 private:
  Host& host_;
  const std::shared_ptr<Variants> variants_;
  const std::string key_;
  const std::uint64_t attempt_;
  const files::Coding coding_;
  const std::string content_;
  std::string coded_;
  std::string why_not_;
  bool is_made_ = false;
};

}  // namespace

Recording::~Recording() {
  if (!ended_) variants_->given_up(key_, attempt_);
}

void Recording::add(std::string_view piece) {
  if (variants_->has_place(key_, attempt_)) {
    content_.append(piece);
  } else {
    std::string().swap(content_);
  }
}

void Recording::end() {
  if (!variants_->has_place(key_, attempt_)) return;
  auto work = std::make_unique<MakeVariant>(host_, variants_, key_, attempt_, coding_, std::move(content_));
  // If all threads are busy, another request will try again.
  if (!host_.offload(work.get())) return;
  static_cast<void>(work.release());
  variants_->recorded(key_);
  ended_ = true;
}

}  // namespace sluice::compress
