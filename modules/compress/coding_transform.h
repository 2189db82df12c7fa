// Codes an answer's content on its way to the client. When the content falls silent, everything that has come
// is written so that the client can decode it, which brings each event of a stream at once.
//
// It codes 16 KiB, about a millisecond of work, in a turn of the loop; then others have theirs. Loop thread.
#pragma once

#include <sluice/filter.h>

#include <string>

#include "compress/coder_pool.h"
#include "compress/recording.h"

namespace sluice::compress {

// The numbers of the filter's counters.
struct Counters {
  std::uint32_t coded = 0;
  std::uint32_t crowded_out = 0;
  std::uint32_t bytes_in = 0;
  std::uint32_t bytes_out = 0;
  std::uint32_t from_memory = 0;
  std::uint32_t from_dictionary = 0;
};

class CodingTransform final : public Transform {
 public:
  static constexpr std::size_t kTurnMax = 16 * 1024;

  // `recording` gets the content, too; null for none.
  CodingTransform(Host& host, Ticket ticket, CoderPool::Lent coder, const Counters& counters,
                  std::unique_ptr<Recording> recording)
      : host_(host),
        ticket_(ticket),
        coder_(std::move(coder)),
        counters_(counters),
        recording_(std::move(recording)) {}
  ~CodingTransform() override;

  Passed pass(Bytes input, Follows follows, Sink& sink) override;

 private:
  // What to do next with what is left of the input. Nothing if there is nothing to do.
  struct Next {
    bool is_idle = false;
    Push push = Push::nothing;
  };
  Next next(bool has_input, Follows follows) const;
  // Returns how much of the input was taken.
  std::size_t code(Bytes input, Push push, Sink& sink);
  // Writes what the sink had no room for. false if it has none for all of it.
  bool write_unsent(Sink& sink);
  Passed go_on_later(std::size_t taken);

  Host& host_;
  const Ticket ticket_;
  const CoderPool::Lent coder_;
  const Counters& counters_;
  const std::unique_ptr<Recording> recording_;
  std::string unsent_;              // made, and not taken by the sink
  bool unflushed_ = false;          // input was taken since the last flush
  Push under_way_ = Push::nothing;  // a flush or end that is not through
  bool ended_ = false;
  bool lost_ = false;
  std::size_t coded_in_turn_ = 0;
  std::uint64_t bytes_in_ = 0;
  std::uint64_t bytes_out_ = 0;
};

}  // namespace sluice::compress
