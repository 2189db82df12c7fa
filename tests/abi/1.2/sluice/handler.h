// The classes through which a module and the server speak: a module implements Handler and what it needs of
// Body, Task, Reader, Work, Watcher, Timer, Answered, Holder and Shared; the server implements Exchange, Sink
// and Host.
//
// Thread: every method here runs on the worker's loop thread and must not block, except Work::run, which runs
// on an offload thread and may call nothing of Host, Exchange or Sink. A handler therefore needs no locks.
// An exception that leaves a module's method is caught, logged with the module's name and answered with 500
// (or by cutting the connection when the answer has begun).
//
// Ownership: what is handed to the server as Body, Task, Reader, Transform or Work belongs to it from that call
// on; it destroys each exactly once, on the loop thread, and destruction before the end means: cancelled.
// Watcher, Timer, Answered and Holder stay the module's own. Methods are only ever appended within a major
// version.
#pragma once

#include <sluice/abi.h>

namespace sluice {

class FieldBlock;  // head lines that Host::prepare_fields has validated; opaque, owned by the server

// Where a body writes its bytes. Framing (Content-Length, chunks) is the server's. Valid during one pump.
class Sink {
 public:
  // How many bytes this pump may still write in this turn of the loop; with 0, return Progress::more.
  virtual std::uint64_t room() const = 0;
  // Writes the pieces in order; bytes not counted in the result were not taken and must be offered again.
  virtual Moved write(const Bytes* pieces, std::uint32_t count) = 0;
  // Sends [offset, offset + size) of a regular file without copying it through user space (sendfile(2)).
  // REQUIRES: the pages are resident, or the caller accepts that the loop waits for the disk.
  virtual Moved send_file(int fd, std::uint64_t offset, std::uint64_t size) = 0;
  // Since 1.2: adds a line that is sent behind the content (RFC 9110 section 6.5). False if Exchange::field
  // would refuse it, if all lines together have more than 4 KiB, or if this content takes none: its size was
  // declared, or the client speaks HTTP/1.0.
  virtual bool trailer(Bytes name, Bytes value) = 0;

 protected:
  ~Sink() = default;
};

// An answer's content, pulled by the server whenever the client can take more. One that is given room and
// writes nothing is pulled again in each turn, and cut off by the handler time-out like one that parks for
// good.
class Body {
 public:
  virtual ~Body() = default;
  virtual Progress pump(Sink& sink) = 0;
};

class Exchange;

// The rest of a deferred answer.
class Task {
 public:
  virtual ~Task() = default;
  // Called after each Host::resume of its ticket, until the exchange is answered.
  virtual void resumed(Exchange& exchange) = 0;
};

// Takes a request's body.
class Reader {
 public:
  virtual ~Reader() = default;
  // Takes bytes from the front and returns how many; fewer than all pauses the client until Host::resume.
  // The view ends with the call.
  virtual std::uint64_t take(Bytes piece) = 0;
  // All of it has been taken. Destroyed without this call: the body was cut off or refused.
  virtual void end() = 0;
};

// Bytes that an answer borrows.
class Holder {
 public:
  // The bytes of one send_held are no longer needed. Called exactly once for each.
  virtual void release() = 0;

 protected:
  ~Holder() = default;
};

// A call that may block, run on one of the worker's offload threads.
class Work {
 public:
  virtual ~Work() = default;
  // On an offload thread.
  virtual void run() = 0;
  // On the loop, once, always: also when the request that wanted it is gone. `ran` is false when it waited
  // longer than its deadline for a thread, and so was not run: answer 503.
  virtual void done(bool ran) = 0;
};

// Told of an fd's readiness, level-triggered.
class Watcher {
 public:
  virtual void ready(std::uint32_t epoll_events) = 0;  // EPOLLIN, EPOLLOUT, ... of epoll_ctl(2)

 protected:
  ~Watcher() = default;
};

class Timer {
 public:
  virtual void fired() = 0;  // of Host::timer once, and its TimerId is spent; of Host::every until cancelled

 protected:
  ~Timer() = default;
};

// Since 1.2: takes the answer to a question of Host::ask.
class Answered {
 public:
  // `known` is false, and the text empty, if there is no answer: ask again later. The view ends with the call.
  virtual void answered(bool known, Bytes text) = 0;

 protected:
  ~Answered() = default;
};

// What a module's handlers of one worker have in common: pools, caches, an AIO context. Made before the first
// handler, destroyed after the last, so that a thousand mounts cost one.
class Shared {
 public:
  virtual ~Shared() = default;
  // A newer generation has taken over: give up what no running answer needs.
  virtual void retire() {}
};

// One request and its answer. Answer exactly once: by send, send_held, stream, fail, hand_over or upgrade, or
// by defer and one of them later. Set status and fields before.
//
// Valid while one of these is called with it: Handler::handle, Task::resumed, and the methods of a filter. In
// Handler::ended and Filter::ended only look at it: by request, noted, peer, client_address, ticket and
// explain.
class Exchange {
 public:
  virtual const Request& request() const = 0;
  // "192.0.2.1:49152", "[2001:db8::1]:49152" or "unix:". The port is 0 if a proxy has not told it. "unknown" if
  // nobody had asked before the client reset its connection. Lives until the exchange ends.
  virtual Bytes client_address() = 0;

  // 200 unless set. REQUIRES: 200 to 599; 300 or more for CONNECT, which only `upgrade` accepts.
  virtual void status(std::uint32_t code) = 0;
  // Adds a field line. False, with a line in the log, when it is not valid (RFC 9110 section 5) or is the
  // server's own (Connection, Content-Length, Date, Transfer-Encoding and other framing). A page that the
  // server makes in place of an answer, because it failed or is late, has none of them: a filter sets what such
  // pages need in Filter::answer.
  virtual bool field(Bytes name, Bytes value) = 0;
  // Adds the prepared lines. The block may be released after the call.
  virtual void fields(const FieldBlock& block) = 0;

  // Answers with these bytes, which are copied.
  virtual void send(Bytes content) = 0;
  // Answers with these bytes, which stay valid and unchanged until holder.release().
  virtual void send_held(Bytes content, Holder& holder) = 0;
  // Answers with what the body writes: exactly `size` bytes, or any number with kUnknownSize. A HEAD request
  // is answered with the same head, and the body is destroyed without having been pumped.
  virtual void stream(std::uint64_t size, Body* body) = 0;
  // Answers with a status of 300 to 599 and the server's own page for it. Fields that were added stay.
  virtual void fail(std::uint32_t code) = 0;
  // Answers later. Overdue (the handler time-out), the server answers 504 and destroys the task.
  virtual void defer(Task* task) = 0;

  // Takes the request's body. At most once, while handling or deferred. An Expect is answered with
  // 100 (Continue) by it. A body that nobody takes is drained within a limit, or the connection closes.
  virtual void receive(Reader* reader) = 0;
  // For Host::resume: wakes the parked body, the deferred task and the paused reader of this exchange.
  virtual Ticket ticket() = 0;

  // Since 1.1: whether the client would rather have the media type `type` than `usual`, by the Accept of the
  // request (RFC 9110 section 12.5.1). No where it does not say.
  virtual bool prefers(Bytes type, Bytes usual) const = 0;

  // Since 1.2: of a request that a filter has deferred: it goes on to the next filter or the handler, after
  // the current call. A filter's `request` that returns without an answer passes by itself. REQUIRES: the
  // filter has not received the body.
  virtual void pass() = 0;
  // Since 1.2, in place of an answer: whoever answers at `target`, a path with or without a query as a client
  // would send it, answers this request. Method, fields, body and the fields added so far stay; the query and
  // the status do not. The filters of the new path are asked, but none of them twice. After eight times the
  // answer is 508. REQUIRES: nobody has received the body.
  virtual void hand_over(Bytes target) = 0;
  // Since 1.2: keeps a value under a name, for whoever sees this request later. An empty value removes it.
  // False if all notes together would have more than 4 KiB.
  virtual bool note(Bytes name, Bytes value) = 0;
  // Since 1.2: the value that was noted last; empty without one. The view ends with the next note.
  virtual Bytes noted(Bytes name) const = 0;
  // Since 1.2: sends these lines before the answer, in a response 103 of its own (RFC 8297): links to what the
  // client may fetch meanwhile. As often as wanted. False if it was not sent: HTTP/1.0 has none, and there may
  // be no room for it.
  virtual bool early_hints(const FieldBlock& block) = 0;
  // Since 1.2: the client's address, and TLS of the connection, which may be a trusted proxy's.
  virtual const Peer& peer() = 0;
  // Since 1.2: asks for Handler::ended of this exchange. A filter's `ended` needs no asking.
  virtual void tell_end() = 0;
  // Since 1.2: whether the client wants this connection, or stream, to speak `protocol` from now on: by the
  // field Upgrade of HTTP/1.1 (RFC 9110 section 7.8), or by an extended CONNECT of HTTP/2 (RFC 8441).
  virtual bool offers_upgrade(Bytes protocol) const = 0;
  // Since 1.2, in place of an answer: the server answers 101, with HTTP/2 200, and the fields added so far.
  // What the client sends then goes to `reader` as it comes; `end` is called if the client ends its side.
  // `body` writes what the client gets, as a content without a known size. When it is done, the connection, or
  // stream, is closed. Both may pause and park for as long as --tunnel-timeout allows between two bytes. False,
  // and both are destroyed, if the client does not offer this upgrade, somebody has received the body, or there
  // is an answer; then answer otherwise. Over HTTP/1.1 an answer 426 names the protocol that was asked for
  // last.
  virtual bool upgrade(Bytes protocol, Reader* reader, Body* body) = 0;
  // Since 1.2: whether somebody wants to know why this request is answered as it is: `sluice explain`, or the
  // log at the level debug. Without a listener, make no texts for `explain`.
  virtual bool is_explained() const = 0;
  // Since 1.2: tells the listener what was decided and why, as in "answers 404: the name begins with a dot".
  virtual void explain(Bytes decision) = 0;

 protected:
  ~Exchange() = default;
};

// The worker, as one handler or filter (or a module's Shared) sees it. Lives longer than that. A Shared's host
// has no mount, folder or options. The destructors of Handler, Filter and Shared may only log, count, and give
// back: by unwatch, cancel, release, release_fields and give_back.
class Host {
 public:
  // The mount's prefix, "/static/"; empty for a Shared.
  virtual Bytes mount() const = 0;
  // Its fd lives as long as the worker.
  virtual Folder folder() const = 0;
  // An option's value, the fallback where the mount says nothing. Already checked against its type. Names that
  // begin with "server." are the server's own: "server.root" and "server.folder" are the path of the folder's
  // root and of the folder, and "server.confined" is "on" if this worker can only read what it has to.
  virtual Bytes option(Bytes name) const = 0;
  // The same as a number: bytes for size, milliseconds for duration_ms, 0 or 1 for flag.
  virtual std::uint64_t number(Bytes name) const = 0;
  // The module's Shared; null when it makes none.
  virtual Shared* shared() const = 0;
  // Refuses to be created, with a sentence for the person who configured it: what `create` then returns is
  // destroyed. Only while being created.
  virtual void reject(Bytes why) = 0;
  virtual void log(LogLevel level, Bytes message) = 0;
  // A monotonic clock, read once a turn of the loop.
  virtual std::uint64_t now_ms() const = 0;

  // Watches an fd that stays open until unwatch. False when it cannot be watched (regular files).
  virtual bool watch(int fd, std::uint32_t epoll_events, Watcher& watcher) = 0;
  virtual void unwatch(int fd) = 0;
  // Fires once after at least this long.
  virtual TimerId timer(std::uint64_t delay_ms, Timer& timer) = 0;
  virtual void cancel(TimerId timer) = 0;
  // Runs work on an offload thread. False when the queue is full, and the work is still the caller's:
  // answer 503. No handler occupies more than half the threads.
  virtual bool offload(Work* work) = 0;
  // Goes on with the exchange after the current call has returned. Stale tickets are ignored.
  virtual void resume(Ticket ticket) = 0;
  // While held, the module stays loaded, this host valid and its handler or Shared alive. Each hold needs one
  // release.
  virtual void hold() = 0;
  virtual void release() = 0;

  // A counter that appears in the metrics under the module's name; the same name gives the same counter.
  virtual std::uint32_t counter(Bytes name) = 0;
  virtual void count(std::uint32_t counter, std::uint64_t by) = 0;

  // Validates head lines once, for Exchange::fields. Null, with a line in the log, when one is not valid.
  virtual FieldBlock* prepare_fields(const Field* fields, std::uint32_t count) = 0;
  virtual void release_fields(FieldBlock* block) = 0;

  // Since 1.2: fires again and again, each time after at least this long, until it is cancelled. 0 counts as 1.
  virtual TimerId every(std::uint64_t period_ms, Timer& timer) = 0;
  // Since 1.2: asks about the whole server, with all of its workers. `to` is answered once, later; or never, if
  // this handler is destroyed before, so it has to live as long as the handler or until it is answered. False,
  // and `to` is not answered: too many questions wait, the question has no meaning, or this handler is only
  // made to be tried. An answer may be 200 ms old, and is shared by all who ask the same at that time.
  //   "metrics": counters in the text format of Prometheus, as `sluice metrics` prints them
  //   "status":  JSON, as `sluice status --json` prints it; newer servers add members
  //   "health":  a line "starting", "ready" or "stopping", then for each module a line "on NAME" or, if it is
  //              switched off, "off NAME"; newer servers may add lines
  //   "workers": new workers, because this one may not read the folder that is now at the path of its root;
  //   they
  //              take over within a few seconds
  virtual bool ask(Bytes question, Answered& to) = 0;

  // Since 1.2: numbers that all workers share. A name is any bytes, and belongs to this module at this site and
  // prefix, as a handler or as a filter: two filters of one module at one place have the same numbers, and a
  // Shared has its own. A number that has no value yet is 0. The server keeps numbers as long as it runs: they
  // outlive workers, changes of the module, and reloads. Today it has room for about 32,000 of them, for all
  // modules together: a name belongs to one of 8,192 buckets of eight, and in a bucket that is full the one
  // that was not used for longest gives way, and is 0 again. A worker in which a module has run wild may have
  // written anything: take no number for certain, and keep it in bounds.
  virtual std::uint64_t shared_number(Bytes name) = 0;
  // Since 1.2: makes the number `to` if it is `from`. It differs if another worker was faster. There is no room
  // if other workers are entering new names.
  virtual Changed change_shared_number(Bytes name, std::uint64_t from, std::uint64_t to) = 0;
  // Since 1.2: adds to the number, and returns the sum, which wraps around. What has no room yet is 0 again
  // afterwards.
  virtual std::uint64_t add_shared_number(Bytes name, std::uint64_t by) = 0;
  // Since 1.2: claims one more of what has this name, such as a request under way, unless the workers together
  // have claimed `max` already. They never have more; but if two claim the last one at the same time, both may
  // be refused, and so may one while other workers make room for new names. What a worker has claimed is given
  // back when it ends, in whatever way, but not when a handler is destroyed. Names are as for numbers. Today
  // there is room for about 8,000 that are claimed at once, for all modules together, in 2,048 buckets of
  // eight. One whose bucket is full is not counted, and granted.
  virtual bool claim(Bytes name, std::uint32_t max) = 0;
  // Since 1.2: gives back one that this worker has claimed.
  virtual void give_back(Bytes name) = 0;
  // Since 1.2: how many all workers have claimed.
  virtual std::uint64_t claims(Bytes name) = 0;

 protected:
  ~Host() = default;
};

// A module's answer to requests below one mount, in one worker.
class Handler {
 public:
  virtual ~Handler() = default;
  virtual void handle(Exchange& exchange) = 0;
  // No request will come any more; running answers go on. Give up what they do not need.
  virtual void retire() {}
  // Since 1.2: an exchange for which Exchange::tell_end was called is over. Those of its body, task and reader
  // that were not destroyed before still exist.
  virtual void ended(Exchange& exchange, const Outcome& outcome) {
    static_cast<void>(exchange);
    static_cast<void>(outcome);
  }
  // Since 1.2: this worker is about to end. Called once for each reason, as a server may stop while its workers
  // are replaced, and not after `retire`. Requests may still come. End what has no end of its own, such as
  // event streams and upgraded connections; when the server stops, it closes those that are left after
  // --stream-grace.
  virtual void leaving(Leaving why) { static_cast<void>(why); }
};

}  // namespace sluice
