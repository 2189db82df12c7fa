// A question about the server that requests wait for. Those that come while it is asked share its answer. The
// loop's thread.
#pragma once

#include <sluice/handler.h>

#include <memory>
#include <new>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

namespace sluice::status {

struct Finding {
  bool is_done = false;
  bool is_known = false;
  std::string text;
};

class Inquiry final : private Answered {
 public:
  // `host` lives longer, and the inquiry as long as the handler.
  Inquiry(Host& host, std::string_view question) : host_(host), question_(question) {}
  Inquiry(const Inquiry&) = delete;
  Inquiry& operator=(const Inquiry&) = delete;

  // What will be found; then the ticket is resumed. Null if nothing can be asked now.
  std::shared_ptr<const Finding> join(Ticket ticket) {
    if (finding_ == nullptr) {
      auto made = std::make_shared<Finding>();  // goes first: there may be no memory
      if (!host_.ask(question_, *this)) return nullptr;
      finding_ = std::move(made);
    }
    tickets_.push_back(ticket);
    return finding_;
  }

 private:
  void answered(bool known, Bytes text) override {
    const auto finding = std::exchange(finding_, nullptr);
    finding->is_done = true;
    try {
      finding->text = std::string_view(text);
      finding->is_known = known;
    } catch (const std::bad_alloc&) {  // those who wait learn that it is not known
    }
    for (const Ticket ticket : std::exchange(tickets_, {})) host_.resume(ticket);
  }

  Host& host_;
  const std::string_view question_;
  std::shared_ptr<Finding> finding_;  // null: nothing is asked
  std::vector<Ticket> tickets_;
};

}  // namespace sluice::status
