// Answers the questions that modules ask about the whole server, by their workers: each with a text in sealed
// memory, or with none.
//
// A worker may be out of control, so nothing that it writes is trusted: its questions are few texts that have
// to be known, QuestionPace bounds how many of them are answered, and nothing about them is kept. A text serves
// all workers for kFreshMs, so that many workers cost little more than one. Supervisor's thread; never blocks.
#pragma once

#include <cstdint>
#include <functional>
#include <string>
#include <string_view>
#include <vector>

#include "base/unique_fd.h"
#include "process/worker_process.h"

namespace sluice {

class WorkerQuestions {
 public:
  // A text is made again when it is so old.
  static constexpr std::uint64_t kFreshMs = 100;
  // A longer text is not sent.
  static constexpr std::size_t kTextMax = 16 * 1024 * 1024;

  void add(std::string_view question, std::function<std::string()> text) {
    sources_.push_back({question, std::move(text)});
  }
  // Answers one message of a worker by `tell`, which passes a descriptor on unless it is -1.
  using Tell = std::function<void(const WorkerMessage& answer, int fd)>;
  void asked(const WorkerMessage& question, QuestionPace& pace, std::uint64_t now_ms, const Tell& tell);
  // For a forked process, and when something has changed that must be told at once.
  void forget_texts();

 private:
  struct Source {
    std::string_view question;
    std::function<std::string()> text;
    UniqueFd sealed = {};
    std::uint64_t made_ms = 0;  // 0: never
  };
  int find(std::string_view question, std::uint64_t now_ms);

  std::vector<Source> sources_;
};

}  // namespace sluice
