// The plain data that crosses between the server and a module, and the version of that agreement.
//
// Everything here is fixed-width, has one layout under every C++ compiler for a platform, and owns nothing.
// A struct named in `layout_stamp()` is frozen within a major version. A struct that may grow starts with its
// own size; read a member only after `has_member` says that the other side knows it.
#pragma once

#include <concepts>
#include <cstddef>
#include <cstdint>
#include <string_view>

namespace sluice {

// The agreement this header describes. A module of the same major and of this or an older minor loads.
inline constexpr std::uint32_t kAbiMajor = 1;
inline constexpr std::uint32_t kAbiMinor = 2;

// A view of bytes that someone else owns; not terminated. Each use says how long the bytes live.
struct Bytes {
  const char* data = nullptr;
  std::size_t size = 0;

  constexpr Bytes() = default;
  constexpr Bytes(const char* first, std::size_t count) : data(first), size(count) {}
  template <typename Text>
  requires std::convertible_to<const Text&, std::string_view>
  constexpr Bytes(const Text& text)  // NOLINT(google-explicit-constructor): a view of any text
      : data(std::string_view(text).data()), size(std::string_view(text).size()) {}
  constexpr operator std::string_view() const { return {data, size}; }  // NOLINT(google-explicit-constructor)
};

// Request methods (RFC 9110 section 9, RFC 5789). `other` is any further token. A newer minor may number more:
// tell one that has no name here by `method_name`, whatever its number.
enum class Method : std::uint32_t { other, get, head, post, put, patch, del, options, trace, connect };

// Request fields that the server recognises while it parses, so that nobody compares names again. A newer minor
// may number more: tell a field that has no name here by its text, whatever its number.
enum class FieldId : std::uint32_t {
  other,
  host,
  connection,
  content_length,
  transfer_encoding,
  content_type,
  expect,
  te,
  upgrade,
  accept,
  accept_encoding,
  accept_language,
  authorization,
  cookie,
  if_match,
  if_none_match,
  if_modified_since,
  if_unmodified_since,
  if_range,
  range,
  referer,
  user_agent,
};

// One field line of a head (RFC 9110 section 5): name as it was sent, value without surrounding white space.
struct Field {
  Bytes name;
  Bytes value;
  FieldId id = FieldId::other;  // requests only; ignored in answers
  std::uint32_t reserved = 0;
};

// No size was declared: an answer of that size is sent chunked (HTTP/1.0: ended by closing).
inline constexpr std::uint64_t kUnknownSize = ~std::uint64_t{0};

// A request's head. Views live until the exchange ends, also while it is deferred or streaming.
struct Request {
  std::uint32_t size = sizeof(Request);
  Method method = Method::other;
  std::uint32_t version = 11;  // 10 for HTTP/1.0, 11 for HTTP/1.1, 20 for HTTP/2; newer servers may know more
  std::uint32_t field_count = 0;
  const Field* fields = nullptr;
  Bytes method_name;            // as sent, case-sensitive
  Bytes target;                 // as sent (RFC 9112 section 3.2)
  Bytes path;                   // below the mount: decoded once, dot segments removed, no leading slash
  Bytes mount;                  // the mount's prefix, with both slashes: "/static/"
  Bytes query;                  // behind '?', not decoded; empty without one
  std::uint64_t body_size = 0;  // 0 without a body, kUnknownSize when the client has not said
  // Since 1.1, by CLOCK_MONOTONIC: the request had begun to arrive by then. What a module has looked up since
  // is as new as this client can ask for, so that requests which came at once may share one look.
  std::uint64_t arrived_ns = 0;
  // Since 1.2: host and port that the client has asked for, by the target or by Host; empty without one.
  Bytes authority;
  Bytes scheme;  // since 1.2: "https" or "http", which the client speaks, be it to a trusted proxy
};

// How a body's `pump` ended.
enum class Progress : std::uint32_t {
  done,    // everything has been written
  more,    // call again as soon as there is room
  parked,  // call again after Host::resume(ticket)
  failed,  // the answer cannot be completed: the connection is cut, never padded
};

// How a write to a Sink ended.
enum class Io : std::uint32_t {
  ok,           // all of it was taken
  full,         // no more room in this turn: return Progress::more
  short_file,   // the file ended before the range did
  unsupported,  // this transport has no zero copy: use write
  lost,         // the client is gone: return Progress::failed
};

struct Moved {
  std::uint64_t size = 0;  // bytes taken, also when the status is not ok
  Io status = Io::ok;
  std::uint32_t reserved = 0;
};

// Since 1.2: what follows the input of one `Transform::pass`. A newer minor may number more: take one without a
// name here for `input`.
enum class Follows : std::uint32_t {
  input,    // more input, at once
  silence,  // nothing for a while: what was held back has to be written, so that the client gets it
  nothing,  // this is the end of the content
};

// Since 1.2: what one `Transform::pass` has done.
struct Passed {
  std::uint64_t size = 0;  // bytes taken from the front of the input
  // done: all that the input makes so far is written. more, parked and failed are as for Body::pump.
  Progress progress = Progress::done;
  std::uint32_t reserved = 0;
};

// Since 1.2: how an exchange has ended. A newer minor may number more: take one without a name here for `cut`.
enum class Ending : std::uint32_t {
  complete,     // the whole answer was given to the client's connection
  cut,          // the answer broke off: a fault of its module, or of the request
  late,         // it broke off because a time-out has passed
  client_left,  // it broke off because the client did
  closed,       // the server has ended it: it stops, or the client costs too much
};

// Since 1.2: what became of an exchange, for Filter::ended and Handler::ended.
struct Outcome {
  std::uint32_t size = sizeof(Outcome);
  std::uint32_t status = 0;   // of the answer; 0 without one
  std::uint64_t sent = 0;     // bytes of content
  std::uint64_t took_ns = 0;  // since the first filter, or else the handler, was asked
  Ending ending = Ending::cut;
  std::uint32_t reserved = 0;
};

// Since 1.2: who asks, and TLS of the connection. The views live until the exchange ends.
struct Peer {
  std::uint32_t size = sizeof(Peer);
  std::uint32_t port = 0;         // 0: not known
  std::uint32_t tls_version = 0;  // 12 or 13; 0 in clear text
  std::uint32_t flags = 0;        // kPeerByProxy, kPeerUnixSocket
  Bytes address;                  // 4 or 16 bytes in network order; none: a Unix socket, or not known
  Bytes server_name;              // the name that the client has asked for in TLS (RFC 6066 section 3)
  Bytes certificate_subject;      // of a client certificate that was verified, as RFC 2253 writes it
  Bytes certificate_fingerprint;  // its SHA-256, as browsers show it: "1F:02:..."
};

enum PeerFlag : std::uint32_t {
  kPeerByProxy = 1,     // a trusted proxy has told the address
  kPeerUnixSocket = 2,  // it is a Unix socket, which has no address
  kPeerTlsOfProxy = 4,  // TLS is spoken with the proxy: name and certificate are its own, and not the client's
};

// Names one exchange of one worker for `Host::resume`; harmless when that exchange has ended.
struct Ticket {
  std::uint64_t value = 0;
};

// Names a running timer; 0 is none.
struct TimerId {
  std::uint64_t value = 0;
};

// The folder that a mount serves: what is asked for lies at `path` + Request::path beneath `fd`, and nothing
// outside `fd` may be opened (openat2(2), RESOLVE_BENEATH). Owned by the server, for the handler's life.
struct Folder {
  std::int32_t fd = -1;
  std::uint32_t reserved = 0;
  Bytes path;  // relative; empty or ending in '/'
};

enum class LogLevel : std::uint32_t { debug, info, warning, error };

// What a mount option's value must look like. The server checks it before the handler is made.
enum class OptionType : std::uint32_t {
  text,
  number,       // decimal, 0 and up
  size,         // bytes, with k, M or G (powers of 1024)
  duration_ms,  // milliseconds, or with ms, s, m or h
  flag,         // on/off, true/false, yes/no, 1/0
  choice,       // one of `choices`
  list,         // since 1.2: texts with a line end between them; the option may be given several times
};

// One line of a module's table of options. Grows at its end: ModuleInfo::option_stride is its size.
struct OptionInfo {
  const char* name = nullptr;
  OptionType type = OptionType::text;
  std::uint32_t reserved = 0;
  const char* fallback = "";  // the value when the mount says nothing; written as a user would
  const char* help = "";
  const char* choices = nullptr;  // for OptionType::choice: "one|two|three"
};

// Since 1.2: what a module needs besides memory and the folders of its mounts. Workers are confined, so the
// administrator has to grant it (`--grant`), or the module is refused.
enum Needs : std::uint32_t {
  kNeedsNetwork = 1,      // connect to other machines, and look up their names
  kNeedsListening = 2,    // accept connections at addresses of its own
  kNeedsUnixSockets = 4,  // connect to Unix sockets, or listen at some
  kNeedsPrograms = 8,     // make processes, and execute programs
  kNeedsReading = 16,     // read files that are in no folder of its mounts
  kNeedsWriting = 32,     // write files
  kNeedsNewCode = 64,     // make machine code while it runs
};

// Since 1.2: what Host::change_shared_number has done.
enum class Changed : std::uint32_t {
  yes,
  differs,  // the number is another one: look at it and try again
  no_room,  // the name has no room yet: go on without, because trying again at once is in vain
};

// Since 1.2: why a worker is about to end. A newer minor may number more: take one without a name here for
// `stopping`.
enum class Leaving : std::uint32_t {
  replaced,  // other workers take its place. What is under way may go on
  stopping,  // the server stops. What is left is closed after a while
};

class Filter;
class Handler;
class Host;
class Shared;

// What a module says of itself: the one symbol that it exports (`sluice_module`), written by SLUICE_MODULE.
struct ModuleInfo {
  std::uint32_t size = sizeof(ModuleInfo);
  std::uint32_t abi_major = kAbiMajor;
  std::uint32_t abi_minor = kAbiMinor;
  std::uint32_t option_count = 0;
  std::uint64_t layout = 0;  // layout_stamp() of the header that the module was built with
  const char* name = nullptr;
  const char* version = nullptr;
  const char* summary = nullptr;
  const char* default_mount = nullptr;  // "/name/", or null for none
  const OptionInfo* options = nullptr;
  std::uint64_t option_stride = sizeof(OptionInfo);
  // Gives null after Host::reject. The pointer is null if the module is a filter, which is since 1.2.
  Handler* (*create)(Host&) noexcept = nullptr;
  Shared* (*create_shared)(Host&) noexcept = nullptr;  // null where a module shares nothing
  Filter* (*create_filter)(Host&) noexcept = nullptr;  // since 1.2; null if the module is a handler
  std::uint32_t needs = 0;                             // since 1.2: kNeedsNetwork and so on, joined by |
  std::uint32_t reserved = 0;
};

// A number that changes when the layout of any frozen struct, or the size of a pointer, does.
constexpr std::uint64_t layout_stamp() {
  const std::size_t facts[] = {
      sizeof(void*),          sizeof(Bytes),       offsetof(Bytes, size), sizeof(Field),
      offsetof(Field, value), offsetof(Field, id), sizeof(Moved),         offsetof(Moved, status),
      sizeof(Ticket),         sizeof(TimerId),     sizeof(Folder),        offsetof(Folder, path),
      sizeof(Progress),       sizeof(Method),      sizeof(FieldId),       sizeof(OptionType),
  };
  std::uint64_t stamp = 14695981039346656037ULL;  // FNV-1a
  for (const std::size_t fact : facts) stamp = (stamp ^ fact) * 1099511628211ULL;
  return stamp;
}

// Whether the side that filled `object` knew the member that ends at `end` bytes.
template <typename Sized>
constexpr bool has_member(const Sized& object, std::size_t end) {
  return object.size >= end;
}

}  // namespace sluice
