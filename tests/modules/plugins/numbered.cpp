// Does what the path of a request says, PLAN/NUMBER: one letter of the plan after the other, so that each
// request has a module of its own. The number stands in the field `asked` and throughout the content of the
// answer.
//
// d waits for a resume; r reads the body, R little by little and with pauses; h sends early hints; t throws.
// These answer: s shortly, l with a known length, L with a large one, c without one, n with 204, F with 404, H
// by another request to the rest of the plan. What a body writes pauses at p, and breaks in its middle at f, t,
// e (it waits for ever), and at its end at u (too little) and o (too much).
#include <sluice/module.h>

#include <algorithm>
#include <cstdlib>
#include <stdexcept>
#include <string>
#include <string_view>
#include <utility>

#include "../../support/numbered.h"

namespace {

using sluice::Bytes;
using sluice::Exchange;
using sluice::Progress;
using sluice::test::numbered_content;
using sluice::test::NumberedAccount;

constexpr std::size_t kShort = 9;
constexpr std::size_t kLong = 3'000;
constexpr std::size_t kLarge = 100'000;
constexpr std::size_t kUnknown = 5'000;
constexpr std::uint64_t kSlow = 100;
constexpr std::size_t kWrong = 10;  // how much too little or too much

class Counted {
 public:
  explicit Counted(NumberedAccount& account) : account_(account) { ++account_.made; }
  ~Counted() { ++account_.destroyed; }
  Counted(const Counted&) = delete;
  Counted& operator=(const Counted&) = delete;

 protected:
  NumberedAccount& account_;
};

struct Plan {
  std::string letters;
  std::string number;
  std::size_t at = 0;
  bool reads = false;

  bool has(char letter) const { return letters.find(letter) != std::string::npos; }
};

class Writes final : public sluice::Body, Counted {
 public:
  Writes(NumberedAccount& account, sluice::Ticket ticket, Plan plan, std::size_t size)
      : Counted(account), ticket_(ticket), plan_(std::move(plan)), middle_(size / 2), end_(size) {
    if (plan_.has('u')) end_ -= kWrong;
    if (plan_.has('o')) end_ += kWrong;
  }
  Progress pump(sluice::Sink& sink) override {
    if (plan_.has('p') && (paused_ = !paused_)) return park();
    if (done_ >= middle_ && plan_.has('f')) return Progress::failed;
    if (done_ >= middle_ && plan_.has('t')) throw std::runtime_error("in the middle of it");
    if (done_ >= middle_ && plan_.has('e')) return park();
    const std::size_t size = std::min<std::size_t>(end_ - done_, kPiece);
    const std::string piece = numbered_content(plan_.number, done_, size);
    const Bytes bytes(piece);
    if (size > 0) done_ += sink.write(&bytes, 1).size;
    return done_ < end_ ? Progress::more : Progress::done;
  }

 private:
  static constexpr std::size_t kPiece = 8'000;

  Progress park() {
    account_.waiting.push_back(ticket_);
    return Progress::parked;
  }

  const sluice::Ticket ticket_;
  const Plan plan_;
  const std::size_t middle_;
  std::size_t end_;
  std::size_t done_ = 0;
  bool paused_ = false;
};

class Reads final : public sluice::Reader, Counted {
 public:
  Reads(NumberedAccount& account, sluice::Ticket ticket, bool slowly)
      : Counted(account), ticket_(ticket), slowly_(slowly) {}
  std::uint64_t take(Bytes bytes) override {
    takes_ = !takes_;
    const std::uint64_t taken = !slowly_ ? bytes.size : takes_ ? std::min<std::uint64_t>(kSlow, bytes.size) : 0;
    if (taken < bytes.size) account_.waiting.push_back(ticket_);  // it pauses
    return taken;
  }
  void end() override {}

 private:
  const sluice::Ticket ticket_;
  const bool slowly_;
  bool takes_ = false;
};

class Numbered final : public sluice::Handler {
 public:
  explicit Numbered(sluice::Host& host)
      : account_(*reinterpret_cast<NumberedAccount*>(
            std::strtoull(std::string(std::string_view(host.option("account"))).c_str(), nullptr, 16))),
        host_(host),
        mount_(std::string_view(host.mount())) {
    const sluice::Field line{"Link", "</next>; rel=preload"};
    hints_ = host.prepare_fields(&line, 1);
  }
  ~Numbered() override { host_.release_fields(hints_); }

  void handle(Exchange& exchange) override {
    const std::string_view path(exchange.request().path);
    const std::size_t slash = path.find('/');
    Plan plan{std::string(path.substr(0, slash)), "0"};
    const std::string_view number = slash == std::string_view::npos ? "" : path.substr(slash + 1);
    constexpr std::size_t kDigitsMax = 9;
    if (!number.empty() && number.size() <= kDigitsMax &&
        number.find_first_not_of("0123456789") == std::string_view::npos)
      plan.number = number;
    if (!goes_on(exchange, plan)) exchange.defer(new Waits(*this, std::move(plan)));
  }

 private:
  class Waits final : public sluice::Task, Counted {
   public:
    Waits(Numbered& of, Plan plan) : Counted(of.account_), of_(of), plan_(std::move(plan)) {}
    void resumed(Exchange& exchange) override { of_.goes_on(exchange, plan_); }

   private:
    Numbered& of_;
    Plan plan_;
  };

  // Does what comes next in the plan. False when it has to wait.
  bool goes_on(Exchange& exchange, Plan& plan) {
    while (plan.at < plan.letters.size()) {
      const char letter = plan.letters[plan.at++];
      if (letter == 'd') {
        account_.waiting.push_back(exchange.ticket());
        return false;
      }
      if (letter == 't') throw std::runtime_error("before an answer");
      if (letter == 'h') exchange.early_hints(*hints_);
      if ((letter == 'r' || letter == 'R') && !std::exchange(plan.reads, true))
        exchange.receive(new Reads(account_, exchange.ticket(), letter == 'R'));
      if (letter == 'H' && !plan.reads) {
        exchange.hand_over(mount_ + "x" + plan.letters.substr(plan.at) + "/" + plan.number);
        return true;
      }
      if (answers(exchange, plan, letter)) return true;
    }
    return answers(exchange, plan, 's');
  }
  bool answers(Exchange& exchange, const Plan& plan, char letter) {
    constexpr std::string_view kAnswers = "slLcnF";
    if (kAnswers.find(letter) == std::string_view::npos) return false;
    exchange.field("asked", plan.number);
    if (letter == 'n') exchange.status(204);
    if (letter == 'n') exchange.send("");
    if (letter == 'F') exchange.fail(404);
    if (letter == 's') exchange.send(numbered_content(plan.number, 0, kShort));
    if (letter == 'l') stream(exchange, plan, kLong, kLong);
    if (letter == 'L') stream(exchange, plan, kLarge, kLarge);
    if (letter == 'c') stream(exchange, plan, sluice::kUnknownSize, kUnknown);
    return true;
  }
  void stream(Exchange& exchange, const Plan& plan, std::uint64_t told, std::size_t size) {
    exchange.stream(told, new Writes(account_, exchange.ticket(), plan, size));
  }

  NumberedAccount& account_;
  sluice::Host& host_;
  const std::string mount_;
  sluice::FieldBlock* hints_ = nullptr;
};

constexpr sluice::OptionInfo kOptions[] = {{.name = "account", .help = "The address of the account"}};

}  // namespace

SLUICE_MODULE(Numbered, .name = "numbered", .version = "1.0.0", .summary = "Does what each request says",
              .options = kOptions, .option_count = 1);
