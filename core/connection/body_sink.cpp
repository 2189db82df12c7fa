#include "connection/body_sink.h"

#include <algorithm>
#include <charconv>

namespace sluice {
namespace {

// Up to this size, copying into the output is cheaper than a system call.
constexpr std::uint64_t kCopyMax = 4096;
constexpr std::size_t kChunkOverhead = 20;  // a chunk's size in hexadecimal, and two line ends
constexpr std::uint64_t kChunkMin = 1024;   // with less room than this, the output is flushed first
constexpr int kPiecesMax = 16;              // of one system call
constexpr std::uint64_t kPageSize = 4096;
constexpr std::string_view kLastChunk = "0\r\n";
constexpr std::string_view kTrailersEnd = "\r\n";

}  // namespace

std::uint64_t BodySink::room() const {
  return full_ || lost_ ? 0 : std::min(budget_, framing_.remaining);
}

Io BodySink::note(Io status) {
  if (status == Io::full) full_ = true;
  if (status == Io::lost) lost_ = true;
  return status;
}

Moved BodySink::taken(std::uint64_t size, Io status) {
  moved_ += size;
  budget_ -= std::min(budget_, size);
  if (framing_.remaining != kUnknownSize) framing_.remaining -= size;
  return {size, note(status)};
}

Moved BodySink::write(const Bytes* pieces, std::uint32_t count) {
  std::uint64_t size = 0;
  for (std::uint32_t i = 0; i < count; ++i) size += pieces[i].size;
  if (size > framing_.remaining) {
    framing_.overrun = true;
    size = framing_.remaining;
  }
  if (lost_) return {0, Io::lost};
  if (size == 0) return {0, Io::ok};
  if (full_ || budget_ == 0) return {0, Io::full};
  const std::uint64_t offered = size;
  size = std::min(size, budget_);
  Moved moved;
  if (framing_.kind == Framing::chunked) {
    moved = write_chunks(pieces, size);
  } else if (size <= kCopyMax && size <= output_.room()) {
    append(pieces, 0, size);
    moved = taken(size, Io::ok);
  } else {
    moved = write_through(pieces, count, size);
  }
  if (moved.status == Io::ok && moved.size < offered) moved.status = Io::full;  // the budget is used up
  return moved;
}

// Appends `size` bytes of the pieces. The first `skip` bytes are left out.
void BodySink::append(const Bytes* pieces, std::uint64_t skip, std::uint64_t size) {
  for (; size > 0; ++pieces) {
    if (skip >= pieces->size) {
      skip -= pieces->size;
      continue;
    }
    const std::uint64_t part = std::min<std::uint64_t>(size, pieces->size - skip);
    output_.append({pieces->data + skip, part});
    size -= part;
    skip = 0;
  }
}

bool BodySink::make_room(std::size_t size) {
  return output_.room() >= size || (note(output_.flush(transport_, true)) == Io::ok && output_.room() >= size);
}

Moved BodySink::write_chunks(const Bytes* pieces, std::uint64_t size) {
  std::uint64_t done = 0;
  while (done < size) {
    const std::uint64_t left = size - done;
    if (!make_room(std::min(left, kChunkMin) + kChunkOverhead)) return taken(done, lost_ ? Io::lost : Io::full);
    const std::uint64_t part = std::min<std::uint64_t>(left, output_.room() - kChunkOverhead);
    char digits[16];
    const auto end = std::to_chars(digits, digits + sizeof(digits), part, 16).ptr;
    output_.append({digits, static_cast<std::size_t>(end - digits)});
    output_.append("\r\n");
    append(pieces, done, part);
    output_.append("\r\n");
    done += part;
  }
  return taken(done, Io::ok);
}

Moved BodySink::write_through(const Bytes* pieces, std::uint32_t count, std::uint64_t size) {
  std::uint64_t done = 0;
  Moved moved;
  for (std::uint32_t next = 0; done < size && moved.status == Io::ok;) {
    iovec vector[kPiecesMax];
    int used = 0;
    const std::uint64_t head = output_.pending().size();
    if (head > 0) vector[used++] = {const_cast<char*>(output_.pending().data()), head};
    std::uint64_t content = 0;
    for (; next < count && done + content < size && used < kPiecesMax; ++next) {
      const std::uint64_t part = std::min<std::uint64_t>(size - done - content, pieces[next].size);
      if (part == 0) continue;
      vector[used++] = {const_cast<char*>(pieces[next].data), part};
      content += part;
    }
    moved = transport_.send(vector, used, done + content < framing_.remaining);
    const std::uint64_t of_head = std::min(head, moved.size);
    output_.consume(of_head);
    done += moved.size - of_head;
  }
  return taken(done, moved.status);
}

// The budget, rounded up to the end of a page, because sending from the middle of a page costs more.
std::uint64_t BodySink::part_of_file(std::uint64_t offset, std::uint64_t size) const {
  const std::uint64_t end = (offset + budget_ + kPageSize - 1) / kPageSize * kPageSize;
  return std::min(size, end - offset);
}

Moved BodySink::send_file(int fd, std::uint64_t offset, std::uint64_t size) {
  if (framing_.kind == Framing::chunked || !transport_.sends_files()) return {0, Io::unsupported};
  if (size > framing_.remaining) {
    framing_.overrun = true;
    size = framing_.remaining;
  }
  if (lost_) return {0, Io::lost};
  if (size == 0) return {0, Io::ok};
  if (full_ || budget_ == 0) return {0, Io::full};
  const std::uint64_t part = part_of_file(offset, size);
  if (part < framing_.remaining) transport_.cork();
  if (!output_.empty() && note(output_.flush(transport_, true)) != Io::ok)
    return {0, lost_ ? Io::lost : Io::full};
  const Moved moved = transport_.send_file(fd, offset, part);
  const Io status = moved.status == Io::ok && part < size ? Io::full : moved.status;
  const Moved result = taken(moved.size, moved.status);
  return {result.size, status};
}

Io BodySink::finish() {
  if (framing_.kind != Framing::chunked) return Io::ok;
  const std::size_t size = kLastChunk.size() + framing_.trailers.size() + kTrailersEnd.size();
  if (!make_room(size)) return lost_ ? Io::lost : Io::full;
  output_.append(kLastChunk);
  output_.append(framing_.trailers);
  output_.append(kTrailersEnd);
  return Io::ok;
}

}  // namespace sluice
