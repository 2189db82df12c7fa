// The Sink that a body writes to: frames what it is given and moves it towards the client within a budget.
//
// Made for one pump; what outlives the pump is BodyFraming. Loop thread.
//
// INVARIANT: never more than the declared size leaves; a chunk that was begun is in the output whole.
#pragma once

#include "exchange/answer_sink.h"
#include "transport/output.h"
#include "transport/transport.h"

namespace sluice {

class BodySink final : public AnswerSink {
 public:
  // `budget` is what the connection may still move in this turn; bytes taken are subtracted.
  BodySink(Output& output, Transport& transport, BodyFraming& framing, std::uint64_t& budget)
      : output_(output), transport_(transport), framing_(framing), budget_(budget) {}

  std::uint64_t room() const override;
  Moved write(const Bytes* pieces, std::uint32_t count) override;
  Moved send_file(int fd, std::uint64_t offset, std::uint64_t size) override;

  // Writes the last chunk, where there are chunks.
  Io finish() override;

 private:
  Moved write_chunks(const Bytes* pieces, std::uint64_t size);
  Moved write_through(const Bytes* pieces, std::uint32_t count, std::uint64_t size);
  void append(const Bytes* pieces, std::uint64_t skip, std::uint64_t size);
  bool make_room(std::size_t size);
  std::uint64_t part_of_file(std::uint64_t offset, std::uint64_t size) const;
  Io note(Io status);
  Moved taken(std::uint64_t size, Io status);

  Output& output_;
  Transport& transport_;
  BodyFraming& framing_;
  std::uint64_t& budget_;
};

}  // namespace sluice
