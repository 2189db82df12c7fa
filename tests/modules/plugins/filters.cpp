// A filter that keeps or breaks the contract in one way, by its option `way`, and notes in a Ledger what it was
// asked. It adds a line with its label to each answer.
#include <sluice/module.h>

#include <cstdint>
#include <cstdlib>
#include <memory>
#include <stdexcept>
#include <string>
#include <string_view>

#include "../../support/ledger.h"

namespace {

using sluice::Bytes;
using sluice::Exchange;
using sluice::Passed;
using sluice::Progress;
using sluice::Sink;
using sluice::test::Ledger;

volatile std::uintptr_t nowhere = 16;  // volatile, so that the compiler does not object

// Null for a request that carries none.
Ledger* ledger_of(const sluice::Request& request) {
  const std::string query{std::string_view(request.query)};
  if (!query.starts_with("0x")) return nullptr;
  return reinterpret_cast<Ledger*>(std::strtoull(query.c_str(), nullptr, 16));
}

struct Counted {
  explicit Counted(Ledger* ledger) : ledger(ledger) {
    if (ledger != nullptr) ++ledger->made;
  }
  ~Counted() {
    if (ledger != nullptr) ++ledger->destroyed;
  }
  Counted(const Counted&) = delete;
  Counted& operator=(const Counted&) = delete;
  Ledger* ledger;
};

// Writes each byte twice, in capitals, and "END" at the end.
class Doubles final : public sluice::Transform, Counted {
 public:
  Doubles(Ledger* ledger, std::string_view way) : Counted(ledger), way_(way) {}
  Passed pass(Bytes input, sluice::Follows follows, Sink& sink) override {
    if (way_ == "transform_throws") throw std::runtime_error("it cannot be changed");
    if (way_ == "transform_fails") return {0, Progress::failed};
    if (way_ == "transform_takes_nothing") return {0, Progress::more};
    if (way_ == "transform_parks") return {0, Progress::parked};
    Passed passed;
    for (const char byte : std::string_view(input)) {
      const char pair[] = {capital(byte), capital(byte)};
      if (sink.room() < sizeof(pair)) return {passed.size, Progress::more};
      const Bytes piece(pair, sizeof(pair));
      sink.write(&piece, 1);
      ++passed.size;
    }
    if (follows != sluice::Follows::nothing) return passed;
    if (sink.room() < 3) return {passed.size, Progress::more};
    const Bytes end("END", 3);
    sink.write(&end, 1);
    return passed;
  }

 private:
  static char capital(char byte) { return byte >= 'a' && byte <= 'z' ? static_cast<char>(byte - 32) : byte; }

  std::string way_;
};

// Keeps the size. It parks before each piece, and resumes itself before it says so.
class Keeps final : public sluice::Transform, Counted {
 public:
  Keeps(Ledger* ledger, sluice::Host& host, sluice::Ticket ticket)
      : Counted(ledger), host_(host), ticket_(ticket) {}
  Passed pass(Bytes input, sluice::Follows, Sink& sink) override {
    waited_ = !waited_;
    if (waited_) {
      host_.resume(ticket_);
      return {0, Progress::parked};
    }
    const std::uint64_t taken = input.size == 0 ? 0 : sink.write(&input, 1).size;
    return {taken, taken < input.size ? Progress::more : Progress::done};
  }

 private:
  sluice::Host& host_;
  sluice::Ticket ticket_;
  bool waited_ = false;
};

// Takes the place of content. It parks first, and resumes itself.
class Instead final : public sluice::Body, Counted {
 public:
  Instead(Ledger* ledger, sluice::Host& host, sluice::Ticket ticket, std::string way)
      : Counted(ledger), host_(host), ticket_(ticket), way_(std::move(way)) {}
  Progress pump(Sink& sink) override {
    if (way_ == "replace_fails") return Progress::failed;
    if (way_ == "replace_throws") throw std::runtime_error("it cannot be pumped");
    if (!waited_) {
      waited_ = true;
      if (way_ != "replace_never") host_.resume(ticket_);
      return Progress::parked;
    }
    const Bytes left(std::string_view("other").substr(sent_));
    sent_ += sink.write(&left, 1).size;
    return sent_ == 5 ? Progress::done : Progress::more;
  }

 private:
  sluice::Host& host_;
  sluice::Ticket ticket_;
  std::string way_;
  std::uint64_t sent_ = 0;
  bool waited_ = false;
};

class Later final : public sluice::Task, Counted {
 public:
  Later(Ledger* ledger, std::string way) : Counted(ledger), way_(std::move(way)) {}
  void resumed(Exchange& exchange) override {
    if (way_ == "defers_throws") throw std::runtime_error("it cannot be decided");
    if (way_ == "defers_answers") return exchange.fail(403);
    if (way_ == "defers") exchange.pass();
  }

 private:
  std::string way_;
};

class Swallows final : public sluice::Reader, Counted {
 public:
  explicit Swallows(Ledger* ledger) : Counted(ledger) {}
  std::uint64_t take(Bytes piece) override { return piece.size; }
  void end() override {}
};

class Filters final : public sluice::Filter {
 public:
  explicit Filters(sluice::Host& host)
      : host_(host), way_(text("way")), label_(text("label")), to_(text("to")) {}

  void request(Exchange& exchange) override {
    Ledger* ledger = ledger_of(exchange.request());
    if (ledger != nullptr) ledger->filters += label_ + "?";
    exchange.note("trail", std::string(std::string_view(exchange.noted("trail"))) + label_);
    if (way_ == "answers_nothing") return exchange.send("");
    if (way_ == "answers") return answer_with(exchange, "by the filter " + label_);
    if (way_ == "crashes" && std::string_view(exchange.request().query) == "crash")
      *reinterpret_cast<volatile int*>(nowhere) = 1;
    if (way_ == "throws") throw std::runtime_error("it cannot be asked");
    if (way_ == "hands_over") exchange.hand_over(to_);
    if (way_ == "hands_over_twice") exchange.hand_over(to_), exchange.hand_over(to_);
    if (way_ == "sets_field") exchange.field("Set-Before", "yes");
    if (way_ == "takes_body") exchange.receive(new Swallows(ledger));
    if (way_.starts_with("defers")) {
      exchange.defer(new Later(ledger, way_));
      if (way_ == "defers_and_passes") return exchange.pass();
      host_.resume(exchange.ticket());
    }
  }

  void answer(Exchange& exchange, sluice::AnswerHead& head) override {
    Ledger* ledger = ledger_of(exchange.request());
    if (ledger != nullptr) ledger->filters += label_ + "!";
    if (way_ == "throws_late") throw std::runtime_error("it cannot see answers");
    if (way_ == "removes") head.remove("Content-Type");
    if (way_ == "sets") head.set("Content-Type", "text/x-" + label_);
    if (way_ == "breaks_field") head.set("Content-Type", "two\nlines");
    if (way_ == "sets_304") head.set_status(304);
    if (way_ == "shows") head.add("Seen", seen(head));
    if (way_ == "asks_lines") {
      for (const char* line : {"One: 1", "Two: 2", "Three: 3"}) {
        const std::string_view text(line);
        head.add(text.substr(0, text.size() - 3), text.substr(text.size() - 1));
      }
      std::string found = name_at(head, 2) + name_at(head, 1) + name_at(head, 3) + name_at(head, 9);
      head.remove("Two");
      found += name_at(head, 2) + name_at(head, 3);
      head.add("Four", "4");
      head.set("Found", found + name_at(head, 3) + name_at(head, 0));
    }
    if (way_ == "copies") {
      for (int i = 0; i < 100; ++i) head.add("Copy", head.field("Content-Type"));
      head.set("Content-Type", head.field("Copy"));
      exchange.note("copied", exchange.noted("trail"));
    }
    if (way_ == "keeps") head.transform(head.size(), new Keeps(ledger, host_, exchange.ticket()));
    if (way_.starts_with("transform")) {
      const std::uint64_t size = head.size();
      const bool known = way_ == "transform_sized" && size != sluice::kUnknownSize;
      const bool taken = head.transform(known ? 2 * size + 3 : sluice::kUnknownSize, new Doubles(ledger, way_));
      head.add("Transformed", taken ? "yes" : "no");
    }
    if (way_.starts_with("replace")) {
      const std::uint64_t size = way_ == "replace_sized" ? 5 : sluice::kUnknownSize;
      head.add("Replaced",
               head.replace(size, new Instead(ledger, host_, exchange.ticket(), way_)) ? "yes" : "no");
    }
    head.set("Filters-Version", FILTERS_VERSION);
    head.add("Passed", label_ + " " + std::string(std::string_view(exchange.noted("trail"))));
  }

  void ended(Exchange& exchange, const sluice::Outcome& outcome) override {
    if (Ledger* ledger = ledger_of(exchange.request())) {
      ledger->filters += label_ + ".";
      ledger->outcome = outcome;
    }
    if (way_ == "throws_at_end") throw std::runtime_error("it cannot see ends");
  }

 private:
  std::string text(Bytes option) const { return std::string(std::string_view(host_.option(option))); }
  static std::string name_at(const sluice::AnswerHead& head, std::uint32_t index) {
    return std::string(std::string_view(head.field_at(index).name)) + ",";
  }
  static void answer_with(Exchange& exchange, const std::string& content) {
    exchange.field("Content-Type", "text/plain");
    exchange.send(content);
  }
  static std::string seen(const sluice::AnswerHead& head) {
    std::string text = std::to_string(head.status()) + " " + std::to_string(head.size());
    for (std::uint32_t i = 0; i < head.field_count(); ++i)
      text += " " + std::string(std::string_view(head.field_at(i).name));
    return text + " " + std::string(std::string_view(head.field("content-type")));
  }

  sluice::Host& host_;
  std::string way_;
  std::string label_;
  std::string to_;
};

constexpr sluice::OptionInfo kOptions[] = {
    {"way", sluice::OptionType::text, 0, "passes", "what it does", nullptr},
    {"label", sluice::OptionType::text, 0, "f", "its name in what it notes", nullptr},
    {"to", sluice::OptionType::text, 0, "/", "where it hands requests over to", nullptr},
    {"items", sluice::OptionType::list, 0, "", "nothing", nullptr},
};

}  // namespace

SLUICE_MODULE(Filters, .name = "filters", .version = "1.0", .summary = "Filters in many ways",
              .options = kOptions, .option_count = 4);
