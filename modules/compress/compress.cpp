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
#include "compress/dictionary_fields.h"
#include "compress/dictionary_terms.h"
#include "compress/recording.h"
#include "compress/variant_body.h"
#include "compress/variants.h"
#include "compress/versions.h"

namespace {

using sluice::AnswerHead;
using sluice::Exchange;
using sluice::Host;
using sluice::OptionType;
using sluice::compress::CodedHead;
using sluice::compress::CoderPool;
using sluice::compress::DictionaryTerms;
using sluice::compress::Variants;
using sluice::files::Coding;
using sluice::files::coding_name;
using sluice::files::Codings;
using sluice::files::items_of;

constexpr Coding kCodings[] = {Coding::zstd, Coding::br, Coding::gzip};

// The mistakes of the options leave as exceptions, which the server reports as the filter's refusal.
Codings codings_of(const Host& host) {
  Codings codings;
  for (const std::string& name : items_of(host.option("codings"))) {
    const auto* known = std::find_if(std::begin(kCodings), std::end(kCodings),
                                     [&](Coding coding) { return coding_name(coding) == name; });
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
  const std::string option = "level_" + std::string(coding_name(coding));
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
        has_dictionaries_(host.number("dictionaries") != 0 && host.number("variants_max") > 0),
        counters_{host.counter("coded"),     host.counter("crowded_out"), host.counter("bytes_in"),
                  host.counter("bytes_out"), host.counter("from_memory"), host.counter("from_dictionary")},
        variants_(std::make_shared<Variants>(host.number("variants_max"))),
        versions_(variants_) {
    for (const Coding coding : kCodings) levels_[static_cast<std::size_t>(coding)] = level_of(host, coding);
    if (streams_max_ == 0)
      throw std::runtime_error("the option streams_max is 0, so nothing would be coded: write 1 or more");
  }

  void answer(Exchange& exchange, AnswerHead& head) override {
    CodedHead coded(wanted_, exchange.request(), head);
    if (!coded.depends_on_coding()) return;
    Kept kept = look_up(exchange.request(), head, coded);
    coded.vary("Accept-Encoding");
    if (kept.depends_on_dictionary) coded.vary("Available-Dictionary");
    const std::string_view mark = kept.coding == Coding::identity ? "" : coding_name(kept.coding);
    for (const std::string_view known : {mark, std::string_view(kept.delta_mark)}) {
      if (!known.empty() && coded.is_known_as(known)) return coded.become_not_modified(known);
    }
    kept.is_recorded_again = has_lost_version(exchange, kept, head);
    if (sends_delta(kept, head) && !kept.is_recorded_again) {
      if (!send_kept(kept.delta, head)) return;
      host_.count(counters_.from_dictionary, 1);
      coded.become_coded("dcz", kept.delta_mark);
    } else if (kept.coding == Coding::identity || !send_coded(exchange, head, kept)) {
      return;
    } else {
      coded.become_coded(mark, mark);
    }
    if (!kept.terms.pattern.empty())
      head.set("Use-As-Dictionary", sluice::compress::use_as_dictionary(kept.terms.pattern));
  }

  void retire() override { variants_->retire(); }

 private:
  using Variant = Variants::Variant;

  static constexpr std::uint64_t kLostEveryMs = 10'000;

  // What is there for an answer.
  struct Kept {
    Coding coding = Coding::identity;
    DictionaryTerms terms;
    bool depends_on_dictionary = false;
    std::string key;  // of the content, coded so; empty: none of it is kept
    Variant variant;
    std::string content;  // its CodedHead::key; empty: it is to be no dictionary
    bool has_version = false;
    bool is_recorded_again = false;  // although what is to be sent is kept
    std::string delta_mark;
    Variant dictionary;  // that the client has
    Variant delta;       // what that makes of the content; an empty one as in Variants
  };

  Kept look_up(const sluice::Request& request, const AnswerHead& head, const CodedHead& coded) {
    Kept kept;
    kept.coding = coded.coding();
    const bool is_whole = head.status() == 200;
    // What is said of a part, or of what has not changed, must not depend on less.
    kept.depends_on_dictionary =
        !is_whole && has_dictionaries_ && sluice::compress::may_have_dictionaries(request, head);
    const std::string content = is_whole && variants_->takes(head.size()) ? coded.key() : std::string();
    if (content.empty()) return kept;
    kept.key = std::string(coding_name(kept.coding)) + '\0' + content;
    kept.variant = variants_->find(kept.key);
    if (!has_dictionaries_ || !versions_.takes(head.size())) return kept;
    kept.terms = sluice::compress::dictionary_terms(request, head);
    kept.depends_on_dictionary = !kept.terms.pattern.empty();
    if (kept.terms.group.empty()) return kept;
    kept.content = content;
    const Variant own_hash = versions_.hash_of(content);
    kept.has_version = own_hash != nullptr && versions_.touch(kept.terms.group, *own_hash);
    const std::string& hash = kept.terms.available;
    if (hash.empty()) return kept;
    kept.delta_mark = "dcz-" + sluice::compress::short_hash(hash);
    kept.dictionary = versions_.find(kept.terms.group, hash);
    if (kept.dictionary != nullptr && own_hash != nullptr)
      kept.delta = variants_->find(sluice::compress::delta_key(hash, *own_hash));
    return kept;
  }

  static bool sends_delta(const Kept& kept, const AnswerHead& head) {
    if (kept.delta == nullptr || kept.delta->empty()) return false;
    return kept.delta->size() < size_without_delta(kept, head);
  }

  static std::uint64_t size_without_delta(const Kept& kept, const AnswerHead& head) {
    const bool is_shorter = kept.variant != nullptr && !kept.variant->empty();
    return is_shorter ? kept.variant->size() : head.size();
  }

  // Whether the version has had to make room, while what is to be sent is kept. As only coding brings the
  // content again, this says so once in a while.
  bool has_lost_version(const Exchange& exchange, const Kept& kept, const AnswerHead& head) {
    const bool has_coded = kept.variant != nullptr && !kept.variant->empty();
    if (kept.content.empty() || kept.has_version || kept.coding == Coding::identity) return false;
    if (!(has_coded || sends_delta(kept, head)) || coders_.lent() >= streams_max_) return false;
    if (exchange.request().method == sluice::Method::head || host_.now_ms() < lost_not_before_ms_) return false;
    lost_not_before_ms_ = host_.now_ms() + kLostEveryMs;
    return true;
  }

  bool send_kept(const Variant& variant, AnswerHead& head) {
    host_.count(counters_.from_memory, 1);
    return head.replace(variant->size(), new sluice::compress::VariantBody(variant));
  }

  // False if the answer leaves as it is.
  bool send_coded(Exchange& exchange, AnswerHead& head, const Kept& kept) {
    const bool is_short = kept.variant != nullptr && !kept.variant->empty();
    if (kept.variant != nullptr && !is_short && !kept.is_recorded_again) return false;
    std::unique_ptr<sluice::compress::Recording> recording = begin_recording(exchange, kept, head);
    if (kept.variant == nullptr || recording != nullptr) {
      auto transform = coding_transform(exchange, kept.coding, head.size(), std::move(recording));
      if (transform != nullptr) return head.transform(sluice::kUnknownSize, transform.release());
    }
    return is_short && send_kept(kept.variant, head);
  }

  // Null if nothing is to be made of the content.
  std::unique_ptr<sluice::compress::Recording> begin_recording(Exchange& exchange, const Kept& kept,
                                                               const AnswerHead& head) {
    if (kept.key.empty() || exchange.request().method == sluice::Method::head) return nullptr;
    const auto part_of = [&](const std::string& key) {
      return sluice::compress::Order::Part{key, variants_->begin_making(key, host_.now_ms())};
    };
    sluice::compress::Order order;
    order.coding = kept.coding;
    order.coded = part_of(kept.key);
    // One at a time: each query may be other content, or the same.
    if (kept.dictionary != nullptr && kept.delta == nullptr) order.delta = part_of("=delta" + kept.terms.group);
    const bool records = order.coded.attempt != 0 || order.delta.attempt != 0;
    if (!records && kept.is_recorded_again) order.again = part_of("=again" + kept.content);
    if (!records && order.again.attempt == 0) return nullptr;
    order.dictionary = kept.dictionary;
    order.hash = kept.terms.available;
    order.size = size_without_delta(kept, head);
    order.group = kept.terms.group;
    order.content = kept.content;
    return std::make_unique<sluice::compress::Recording>(host_, variants_, std::move(order));
  }

  // Null if the answer is to leave as it is.
  std::unique_ptr<sluice::Transform> coding_transform(Exchange& exchange, Coding coding, std::uint64_t size,
                                                      std::unique_ptr<sluice::compress::Recording> recording) {
    CoderPool::Lent coder;
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
    }
    return std::make_unique<sluice::compress::CodingTransform>(host_, exchange.ticket(), std::move(coder),
                                                               counters_, std::move(recording));
  }

  Host& host_;
  CoderPool& coders_;
  const sluice::compress::Wanted wanted_;
  const std::uint64_t streams_max_;  // of all these filters of the worker
  const bool has_dictionaries_;
  const sluice::compress::Counters counters_;
  const std::shared_ptr<Variants> variants_;
  sluice::compress::Versions versions_;
  std::array<unsigned, sluice::files::kCodingCount> levels_{};
  std::uint64_t lost_not_before_ms_ = 0;
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
     "and better, and a third as much for dictionaries; 0 for none",
     nullptr},
    {"dictionaries", OptionType::flag, 0, "on",
     "with variants_max and https, code what has changed with the version that a browser has kept (RFC 9842, "
     "dcz), where Cache-Control lets it keep one",
     nullptr},
};

}  // namespace

SLUICE_MODULE(Compress, .name = "compress", .version = "1.0.0",
              .summary = "A filter: codes content with zstd, br or gzip while it leaves", .options = kOptions,
              .option_count = sizeof(kOptions) / sizeof(kOptions[0]));
