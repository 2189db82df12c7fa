// One file of the access log, or stdout, for the process that writes them. Collects lines, and writes many at
// once.
//
// One thread. A disk may hold it up; a pipe that nobody reads does not.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>

#include "base/unique_fd.h"

namespace sluice {

class AccessFile {
 public:
  // `path` is absolute, or kStdout.
  explicit AccessFile(std::string path);
  // What the reader does not take now is lost, and the log says so.
  ~AccessFile();
  AccessFile(const AccessFile&) = delete;
  AccessFile& operator=(const AccessFile&) = delete;

  const std::string& path() const { return path_; }
  // Opens the path anew, as after the file was moved away. An error is logged, and the open file goes on; if
  // there is none, lines are dropped until the next call. A symbolic link is refused: in a folder that others
  // may change, it could lead to any file.
  void open();
  // Where the next line is appended, until the next call; nullptr: nowhere, so it is dropped.
  std::string* collect();
  // Whether some could not be written yet.
  bool has_lines() const { return !lines_.empty(); }
  // Writes what was collected, as far as the reader takes it.
  void flush();

 private:
  bool is_stdout() const;
  void drop_all(int error);
  void tell_lost();

  const std::string path_;
  UniqueFd file_;
  std::string lines_;
  bool may_wait_ = false;   // stdout is a pipe, a socket or a terminal
  bool in_line_ = false;    // the last write ended within a line
  std::uint64_t lost_ = 0;  // lines that the log has not told of yet
  int lost_error_ = 0;
  std::uint64_t tell_lost_ms_ = 0;  // when it tells of more
};

}  // namespace sluice
