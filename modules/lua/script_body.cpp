#include "lua/script_body.h"

#include <utility>

namespace sluice::lua {
namespace {

// Each piece may take as long as a call may, so others get their turn between them.
constexpr int kPiecesPerPump = 8;

}  // namespace

ScriptBody::ScriptBody(std::shared_ptr<Script> script, int stream, Failed after)
    : script_(std::move(script)), stream_(stream), after_(std::move(after)) {}

Progress ScriptBody::pump(Sink& sink) {
  for (int made = 0;; ++made) {
    while (sent_ < piece_.size()) {
      const Bytes rest(piece_.data() + sent_, piece_.size() - sent_);
      const Moved moved = sink.write(&rest, 1);
      sent_ += moved.size;
      if (moved.status == Io::full) return Progress::more;
      if (moved.status != Io::ok) return Progress::failed;
    }
    if (made == kPiecesPerPump) return Progress::more;
    std::optional<std::string> piece;
    const std::string error = script_->next_piece(stream_, piece);
    after_(error);
    if (!error.empty()) return Progress::failed;
    if (!piece) return Progress::done;
    piece_ = std::move(*piece);
    sent_ = 0;
  }
}

}  // namespace sluice::lua
