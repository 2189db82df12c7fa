// Filters, since 1.2. A filter stands before and behind the handlers of a place: it sees each request below its
// prefix before them, and each answer after them. A module is a handler or a filter; both have the same Host,
// Shared, options, swap and containment.
//
// Filters are asked in the order in which the settings name them, also where no handler is mounted. The first
// one is the outermost: it sees the answer last. No filter sees what the server answers before it looks at the
// path: refusals of a request's form, target or name, of too many requests under way, the redirect to https,
// and OPTIONS *.
//
// Thread and ownership: as handler.h says.
#pragma once

#include <sluice/handler.h>

namespace sluice {

// Changes an answer's content on its way to the client. Made for one answer.
class Transform {
 public:
  virtual ~Transform() = default;
  // Takes bytes from the front of `input`, and writes to `sink` what they make. It is called again with the
  // bytes that it did not take, and behind them new ones. Input that waits is at most 16 KiB, so take some
  // whenever there is that much. The sink may have no room; then return `more`. After `nothing`, the answer is
  // complete when it returns done.
  virtual Passed pass(Bytes input, Follows follows, Sink& sink) = 0;
};

// The head of an answer before it is sent. Valid during one call.
class AnswerHead {
 public:
  virtual std::uint32_t status() const = 0;
  // The content's size; kUnknownSize if it was not declared.
  virtual std::uint64_t size() const = 0;

  // The lines that handler and filters have set, not those that the server adds (Date, Content-Length, ...).
  // Views end with the next change.
  virtual std::uint32_t field_count() const = 0;
  virtual Field field_at(std::uint32_t index) const = 0;
  // The value of the first line with this name, in any case of letters; empty without one.
  virtual Bytes field(Bytes name) const = 0;
  // Adds a line. False, with a line in the log, if Exchange::field refuses it.
  virtual bool add(Bytes name, Bytes value) = 0;
  // Takes the place of all lines with this name.
  virtual bool set(Bytes name, Bytes value) = 0;
  // Removes all lines with this name. Also the server's own line Server, but no other of its lines.
  virtual void remove(Bytes name) = 0;

  // REQUIRES: 200 to 599, 300 or more for CONNECT, and an answer that upgrades no connection (over HTTP/2, that
  // one has the status 200). With a status that has no content (204, 205, 304), the content is dropped.
  virtual void set_status(std::uint32_t code) = 0;
  // Puts `transform` behind the content, and behind the transforms of inner filters. What comes out has `size`
  // bytes, or any number with kUnknownSize. After HEAD it is destroyed at once. False, and it is destroyed, if
  // the answer has no content (304), upgrades the connection, or is the server's page for an answer whose
  // content a filter had changed, and which has failed.
  virtual bool transform(std::uint64_t size, Transform* transform) = 0;
  // Drops the content, which is not read, and the transforms of inner filters. `body` gives `size` bytes in its
  // place, or any number with kUnknownSize. After HEAD it is destroyed at once. False, and it is destroyed,
  // where `transform` gives false, too.
  virtual bool replace(std::uint64_t size, Body* body) = 0;

 protected:
  ~AnswerHead() = default;
};

class Filter {
 public:
  virtual ~Filter() = default;
  // Asked before whoever stands behind. To let the request go on, return. To stop it here, answer. To decide
  // later, defer; then the task answers, or calls Exchange::pass. A filter that receives the request's body
  // has to answer. Request::path is what follows the filter's prefix.
  virtual void request(Exchange& exchange) { static_cast<void>(exchange); }
  // Somebody behind this filter, or the server in their place, has answered, and nothing of it is sent yet. It
  // is called again if an error page takes the place of that answer, unless a filter further out is at fault.
  // Not called for an answer of the filter's own, or of the server's in place of it.
  virtual void answer(Exchange& exchange, AnswerHead& head) {
    static_cast<void>(exchange);
    static_cast<void>(head);
  }
  // It is over: once for each `request`. After a reset the client's address is known if it was asked before.
  virtual void ended(Exchange& exchange, const Outcome& outcome) {
    static_cast<void>(exchange);
    static_cast<void>(outcome);
  }
  // No request will come any more; those that were asked go on. Give up what they do not need.
  virtual void retire() {}
};

}  // namespace sluice
