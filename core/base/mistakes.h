// Collects the mistakes in several settings, so that a person learns of all of them at once. Any thread.
#pragma once

#include <string>

#include "base/error.h"

namespace sluice {

class Mistakes {
 public:
  // `place` begins the sentence, if it is not empty. A line feed that a person has typed ends no sentence.
  void add(const std::string& place, const Error& error) {
    std::string sentence = place + (place.empty() ? "" : ": ") + error.message;
    for (std::size_t at = sentence.find('\n'); at != std::string::npos; at = sentence.find('\n', at))
      sentence.replace(at, 1, "\\x0a");
    append(sentence);
  }
  void take(const Result<void>& done, const std::string& place = "") {
    if (!done) add(place, done.error());
  }
  // Takes the mistakes of another collection. Returns whether there was none.
  bool merge(const Result<void>& others) {
    if (!others) append(others.error().message);
    return others.has_value();
  }

  // An error with a line for each mistake.
  Result<void> result() const { return text_.empty() ? Result<void>() : fail(text_); }

 private:
  void append(const std::string& sentences) { text_ += (text_.empty() ? "" : "\n") + sentences; }

  std::string text_;
};

}  // namespace sluice
