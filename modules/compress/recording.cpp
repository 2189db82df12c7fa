#include "compress/recording.h"

#include <algorithm>
#include <exception>
#include <new>

#include "compress/delta_coder.h"
#include "compress/versions.h"
#include "compress/whole_coder.h"

namespace sluice::compress {
namespace {

void give_up(Variants& variants, const Order& order) {
  for (const Order::Part* part : order.parts()) variants.given_up(part->key, part->attempt);
}

// A delta that saves less than an eighth is not worth the memory.
std::uint64_t clearly_below(std::uint64_t size) {
  return size - size / 8;
}

class MakeVariants final : public Work {
 public:
  MakeVariants(Host& host, std::shared_ptr<Variants> variants, Order order, std::string content)
      : host_(host), variants_(std::move(variants)), order_(std::move(order)), content_(std::move(content)) {}

  void run() override {
    try {
      if (order_.coded.attempt != 0) coded_ = code_whole(order_.coding, content_);
      if (order_.delta.attempt != 0)
        delta_ = code_delta(*order_.dictionary, order_.hash, content_,
                            clearly_below(coded_.empty() ? order_.size : coded_.size()));
      if (!order_.group.empty()) {
        hash_ = sha256_of(content_);
        content_.shrink_to_fit();  // what is kept counts by its size
      }
      if (!delta_.empty()) to_itself_ = code_delta(std::string(content_), hash_, content_, content_.size());
      is_made_ = true;
    } catch (const std::exception& error) {
      why_not_ = error.what();
    }
  }

  void done(bool) override {
    give_up(*variants_, order_);  // first, as keeping may run out of memory
    if (!is_made_) {
      if (!why_not_.empty()) host_.log(LogLevel::warning, "content could not be coded to be kept: " + why_not_);
      return;
    }
    if (!order_.group.empty()) {
      Versions versions(variants_);
      versions.keep(order_.group, hash_, std::make_shared<const std::string>(std::move(content_)));
      versions.know_hash(order_.content, hash_);
    }
    if (order_.coded.attempt != 0)
      variants_->keep(order_.coded.key, std::make_shared<const std::string>(std::move(coded_)));
    if (order_.delta.attempt == 0) return;
    variants_->keep(delta_key(order_.hash, hash_), std::make_shared<const std::string>(std::move(delta_)),
                    Variants::Share::dictionaries);
    if (to_itself_.empty()) return;
    // Who gets the delta has this content as the dictionary when it asks again, and another tag than a client
    // with that dictionary would have: this answers in a hundred bytes, and with 304 from then on.
    variants_->keep(delta_key(hash_, hash_), std::make_shared<const std::string>(std::move(to_itself_)),
                    Variants::Share::dictionaries);
  }

 private:
  Host& host_;
  const std::shared_ptr<Variants> variants_;
  const Order order_;
  std::string content_;
  std::string coded_;
  std::string delta_;
  std::string to_itself_;
  std::string hash_;
  std::string why_not_;
  bool is_made_ = false;
};

}  // namespace

Recording::~Recording() {
  if (!ended_) give_up(*variants_, order_);
}

// What has lost its place is made all the same, if the rest is.
bool Recording::has_place() const {
  const auto parts = order_.parts();
  return std::any_of(parts.begin(), parts.end(),
                     [&](const Order::Part* part) { return variants_->has_place(part->key, part->attempt); });
}

// Without memory the answer goes on, and nothing is kept of it.
void Recording::add(std::string_view piece) {
  try {
    if (has_place()) {
      content_.append(piece);
      return;
    }
  } catch (const std::bad_alloc&) {
    give_up(*variants_, order_);
  }
  std::string().swap(content_);
}

void Recording::end() {
  if (!has_place()) return;
  std::unique_ptr<MakeVariants> work;
  try {
    // Copied, as it is needed here if all threads are busy. Then another request will try again.
    work = std::make_unique<MakeVariants>(host_, variants_, order_, std::move(content_));
  } catch (const std::bad_alloc&) {
    return;
  }
  if (!host_.offload(work.get())) return;
  static_cast<void>(work.release());
  for (const Order::Part* part : order_.parts()) {
    if (variants_->has_place(part->key, part->attempt)) variants_->recorded(part->key);
  }
  ended_ = true;
}

}  // namespace sluice::compress
