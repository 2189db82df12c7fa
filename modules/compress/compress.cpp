// A filter that codes the content of answers with zstd, br or gzip while it leaves, for clients that accept it.
#include <sluice/module.h>

#include <algorithm>
#include <array>
#include <exception>
#include <iterator>
#include <memory>
#include <stdexcept>
#include <string>
#include <utility>
#include <vector>

#include "common/http/media_type.h"
#include "common/http/text.h"
#include "compress/coded_head.h"
#include "compress/coder_pool.h"
#include "compress/coding_transform.h"
#include "compress/recording.h"
#include "compress/variant_body.h"
#include "compress/variants.h"

namespace {

using sluice::AnswerHead;
using sluice::Exchange;
using sluice::Host;
using sluice::OptionType;
using sluice::compress::CodedHead;
using sluice::compress::CoderPool;
using sluice::compress::Variants;
using sluice::files::Coding;
using sluice::files::Codings;
using sluice::files::items_of;

constexpr Coding kCodings[] = {Coding::zstd, Coding::br, Coding::gzip};

// The mistakes of the options leave as exceptions, which the server reports as the filter's refusal.
Codings codings_of(const Host& host) {
  Codings codings;
  for (const std::string& name : items_of(host.option("codings"))) {
    const auto* known = std::find_if(std::begin(kCodings), std::end(kCodings),
                                     [&](Coding coding) { return sluice::files::coding_name(coding) == name; });
    if (known == std::end(kCodings))
      throw std::runtime_error("the option codings has '" + name + "': write zstd, br or gzip");
    if (std::find(codings.begin(), codings.end(), *known) != codings.end())
      throw std::runtime_error("the option codings has '" + name + "' twice: write it once");
    codings.push_back(*known);
  }
  if (codings.empty()) throw std::runtime_error("the option codings is empty: write zstd, br or gzip");
  return codings;
}

std::vector<std::string> types_of(const Host& host) {
  std::vector<std::string> types = items_of(host.option("types"));
  for (const std::string& type : types) {
    if (!sluice::files::is_type_pattern(type))
      throw std::runtime_error("the option types has the type '" + type + "': write TYPE/SUBTYPE, TYPE/* or *");
  }
  return types;
}

unsigned level_of(const Host& host, Coding coding) {
  const std::string option = "level_" + std::string(sluice::files::coding_name(coding));
  const std::uint64_t level = host.number(option);
  const auto [least, most] = sluice::compress::levels_of(coding);
  if (level < least || level > most)
    throw std::runtime_error("the option " + option + " is " + std::to_string(level) + ": write " +
                             std::to_string(least) + " to " + std::to_string(most));
  return static_cast<unsigned>(level);
}

class Compress final : public sluice::Filter {
 public:
  struct PerWorker final : sluice::Shared {
    explicit PerWorker(Host&) {}
    void retire() override { coders.retire(); }
    CoderPool coders;
  };

  explicit Compress(Host& host)
      : host_(host),
        coders_(static_cast<PerWorker&>(*host.shared()).coders),
        wanted_{types_of(host), std::max<std::uint64_t>(host.number("min_size"), 1), codings_of(host)},
        streams_max_(host.number("streams_max")),
        counters_{host.counter("coded"), host.counter("crowded_out"), host.counter("bytes_in"),
                  host.counter("bytes_out"), host.counter("from_memory")},
        variants_(std::make_shared<Variants>(host.number("variants_max"))) {
    for (const Coding coding : kCodings) levels_[static_cast<std::size_t>(coding)] = level_of(host, coding);
    if (streams_max_ == 0)
      throw std::runtime_error("the option streams_max is 0, so nothing would be coded: write 1 or more");
  }

  void answer(Exchange& exchange, AnswerHead& head) override {
    CodedHead coded(wanted_, exchange.request(), head);
    if (!coded.depends_on_coding()) return;
    coded.vary();
    const Coding coding = coded.coding();
    if (coding == Coding::identity) return;
    if (coded.is_known_as(coding)) return coded.become_not_modified(coding);
    const std::string key = variants_->takes(head.size()) ? coded.key(coding) : std::string();
    bool changed = false;
    if (const Variants::Variant variant = key.empty() ? nullptr : variants_->find(key)) {
      if (variant->empty()) return;
      host_.count(counters_.from_memory, 1);
      changed = head.replace(variant->size(), new sluice::compress::VariantBody(variant));
    } else if (auto transform = coding_transform(exchange, coding, head.size(), key)) {
      changed = head.transform(sluice::kUnknownSize, transform.release());
    }
    if (changed) coded.become_coded(coding);
  }

  void retire() override { variants_->retire(); }

 private:
  // Null if the answer is to leave as it is.
  std::unique_ptr<sluice::Transform> coding_transform(Exchange& exchange, Coding coding, std::uint64_t size,
                                                      const std::string& key) {
    CoderPool::Lent coder;
    std::unique_ptr<sluice::compress::Recording> recording;
    // The answer to HEAD says what that to GET would say.
    if (exchange.request().method != sluice::Method::head) {
      if (coders_.lent() >= streams_max_) {
        host_.count(counters_.crowded_out, 1);
        return nullptr;
      }
      try {
        coder = coders_.lend(coding, levels_[static_cast<std::size_t>(coding)], size);
      } catch (const std::exception& error) {
        host_.log(sluice::LogLevel::warning, "an answer is sent as it is: " + std::string(error.what()));
        return nullptr;
      }
      host_.count(counters_.coded, 1);
      const std::uint64_t attempt = key.empty() ? 0 : variants_->begin_making(key, host_.now_ms());
      if (attempt != 0)
        recording = std::make_unique<sluice::compress::Recording>(host_, variants_, key, attempt, coding);
    }
    return std::make_unique<sluice::compress::CodingTransform>(host_, exchange.ticket(), std::move(coder),
                                                               counters_, std::move(recording));
  }

  Host& host_;
  CoderPool& coders_;
  const sluice::compress::Wanted wanted_;
  const std::uint64_t streams_max_;  // of all these filters of the worker
  const sluice::compress::Counters counters_;
  const std::shared_ptr<Variants> variants_;
  std::array<unsigned, sluice::files::kCodingCount> levels_{};
};

constexpr sluice::OptionInfo kOptions[] = {
    {"codings", OptionType::list, 0, "zstd\nbr\ngzip",
     "the codings that may be used; of those that a client likes equally, the first", nullptr},
    {"types", OptionType::list, 0, "",
     "media types to code beside text, JSON, XML, JavaScript, WebAssembly and the like, as in image/x-tga",
     nullptr},
    {"min_size", OptionType::size, 0, "1k", "shorter content stays as it is", nullptr},
    {"level_zstd", OptionType::number, 0, "3", "1 is the fastest, 5 makes the shortest content", nullptr},
    {"level_br", OptionType::number, 0, "3", "1 to 4, which takes twice the memory of 3", nullptr},
    {"level_gzip", OptionType::number, 0, "4", "1 to 6", nullptr},
    {"streams_max", OptionType::number, 0, "256",
     "answers that a worker codes at once, 1.3 MiB each; others leave as they are", nullptr},
    {"variants_max", OptionType::size, 0, "0",
     "memory of a worker for coded content of up to 8 MiB that has a strong ETag, so that it is coded once, "
     "and "
     "better; 0 for none",
     nullptr},
};

}  // namespace

SLUICE_MODULE(Compress, .name = "compress", .version = "1.0.0",
              .summary = "A filter: codes content with zstd, br or gzip while it leaves", .options = kOptions,
              .option_count = sizeof(kOptions) / sizeof(kOptions[0]));
