// Changes a file's content between reading and sending it. A processor is fed in pieces that are cut
// anywhere, and limits its output. One an answer, loop thread.
//
// INVARIANT: the output does not depend on where the input is cut; what a processor holds back is bounded.
#pragma once

#include <cstdint>
#include <memory>
#include <string>
#include <string_view>

namespace sluice {

class Processor {
 public:
  // A call stops adding once the output has reached this size; one replacement may go past it.
  static constexpr std::size_t kOutputMax = 16 * 1024;

  virtual ~Processor() = default;
  // Takes bytes from the front of the input and returns how many: all of them, unless the output gets full.
  // If the output was not full before, at least one.
  virtual std::size_t feed(std::string_view input, std::string& output) = 0;
  // The input has ended: appends what was held back.
  virtual void finish(std::string&) {}
};

// `upper`: ASCII letters in upper case; a tab becomes spaces up to the next multiple of 8 columns (bytes).
class UpperProcessor final : public Processor {
 public:
  std::size_t feed(std::string_view input, std::string& output) override;

 private:
  unsigned column_ = 0;  // modulo 8
};

// `markers`: replaces <!--# date -->, <!--# path --> and <!--# mtime --> by values. A marker stays as it is
// if it has another name, is longer than kMarkerMax, has another '<' in it, or does not end.
class MarkersProcessor final : public Processor {
 public:
  static constexpr std::size_t kMarkerMax = 256;

  struct Values {
    std::string date;
    std::string path;  // escaped for HTML
    std::string mtime;
  };
  explicit MarkersProcessor(Values values) : values_(std::move(values)) {}
  std::size_t feed(std::string_view input, std::string& output) override;
  void finish(std::string& output) override;

 private:
  void take(char c, std::string& output);
  const std::string* value_of(std::string_view marker) const;

  const Values values_;
  std::string held_;  // the beginning of what may be a marker, up to kMarkerMax bytes
};

}  // namespace sluice
