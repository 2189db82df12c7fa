// Content of an answer that is recorded while it leaves, to be coded once more on a thread, and kept. Loop
// thread.
#pragma once

#include <sluice/handler.h>

#include <memory>
#include <string>
#include <string_view>
#include <utility>

#include "common/http/content_coding.h"
#include "compress/variants.h"

namespace sluice::compress {

class Recording {
 public:
  // `attempt` is what Variants::begin_making has given for the key.
  Recording(Host& host, std::shared_ptr<Variants> variants, std::string key, std::uint64_t attempt,
            files::Coding coding)
      : host_(host), variants_(std::move(variants)), key_(std::move(key)), attempt_(attempt), coding_(coding) {}
  // If it has not ended, nothing is kept of it.
  ~Recording();
  Recording(const Recording&) = delete;
  Recording& operator=(const Recording&) = delete;

  void add(std::string_view piece);
  // The content is complete.
  void end();

 private:
  Host& host_;
  const std::shared_ptr<Variants> variants_;
  const std::string key_;
  const std::uint64_t attempt_;
  const files::Coding coding_;
  std::string content_;
  bool ended_ = false;
};

}  // namespace sluice::compress
