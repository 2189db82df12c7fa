// The Sink that a body writes to. It frames the content and moves it towards the client within a budget.
//
// Made for one call of Body::pump; BodyFraming outlives that call. Loop thread.
//
// INVARIANT: no more than the declared size is sent. A chunk is written into the output whole.
#pragma once

#include "exchange/answer_sink.h"
#include "transport/output.h"
#include "transport/transport.h"

namespace sluice {

class BodySink final : public AnswerSink {
 public:
  // `budget`: how many bytes the connection may still move in this turn. The sink subtracts the bytes that it
  // takes.
  BodySink(Output& output, Transport& transport, BodyFraming& framing, std::uint64_t& budget)
      : AnswerSink(framing), output_(output), transport_(transport), budget_(budget) {}

  std::uint64_t room() const override;
  Moved write(const Bytes* pieces, std::uint32_t count) override;
  Moved send_file(int fd, std::uint64_t offset, std::uint64_t size) override;

  // Writes the last chunk and the trailers, if the content is chunked.
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
  std::uint64_t& budget_;
};

}  // namespace sluice
