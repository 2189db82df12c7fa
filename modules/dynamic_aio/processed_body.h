// Sends a file through a processor: reads pieces, feeds them, and writes the output. It holds at most one
// piece and one output. One an answer, loop thread.
#pragma once

#include <sluice/handler.h>

#include <memory>
#include <string>

#include "common/reading/file_reader.h"
#include "dynamic_aio/processors.h"

namespace sluice {

class ProcessedBody final : public Body {
 public:
  ProcessedBody(files::ReadQueue& queue, files::FileRef file, Ticket ticket,
                std::unique_ptr<Processor> processor);
  Progress pump(Sink& sink) override;

 private:
  bool write(Sink& sink, Progress& progress);
  bool process(Progress& progress);

  files::FileReader reader_;
  std::unique_ptr<Processor> processor_;
  std::string output_;
  std::size_t written_ = 0;  // of output_
  bool finished_ = false;    // output_ is the last one
};

}  // namespace sluice
