// Content of an answer that is recorded while it leaves, to be coded once more on a thread, and kept. Loop
// thread.
#pragma once

#include <sluice/handler.h>

#include <array>
#include <cstdint>
#include <memory>
#include <string>
#include <string_view>
#include <utility>

#include "common/http/content_coding.h"
#include "compress/variants.h"

namespace sluice::compress {

// What is to be made of a content.
struct Order {
  // `attempt` is what Variants::begin_making has given for the key. If it is 0, this one is not made. What is
  // coded lies under the key itself.
  struct Part {
    std::string key;
    std::uint64_t attempt = 0;
  };
  Part coded;  // with `coding`
  files::Coding coding = files::Coding::identity;
  Part delta;  // with the version of the group that has the hash
  Part again;  // nothing but the version of the group
  Variants::Variant dictionary;
  std::string hash;
  std::uint64_t size = 0;  // of what is sent without a delta, unless `coded` is made, too
  // Not empty: the content is kept as this group's latest version.
  std::string group;
  std::string content;  // its CodedHead::key

  std::array<const Part*, 3> parts() const { return {&coded, &delta, &again}; }
};

class Recording {
 public:
  // REQUIRES: a part of the order has an attempt.
  Recording(Host& host, std::shared_ptr<Variants> variants, Order order)
      : host_(host), variants_(std::move(variants)), order_(std::move(order)) {}
  // If it has not ended, nothing is kept of it.
  ~Recording();
  Recording(const Recording&) = delete;
  Recording& operator=(const Recording&) = delete;

  // Both do without memory.
  void add(std::string_view piece);
  // The content is complete.
  void end();

 private:
  bool has_place() const;

  Host& host_;
  const std::shared_ptr<Variants> variants_;
  Order order_;
  std::string content_;
  bool ended_ = false;
};

}  // namespace sluice::compress
