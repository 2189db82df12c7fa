// Requests that a person asks about. Each goes through sites, filters and handlers as a client's would, and
// what they decide is written down. There is no socket: the answer's head is kept, and its content is dropped.
//
// Loop thread. They are counted as other requests are, but are not in the access log.
//
// INVARIANT: at most kAtOnceMax are under way, and none for longer than kLimitMs.
#pragma once

#include <functional>
#include <memory>
#include <vector>

#include "connection/address_context.h"
#include "connection/connection_context.h"
#include "connection/explanation.h"

namespace sluice {

class ExplainedRequests final : public Resumer {
 public:
  static constexpr std::size_t kAtOnceMax = 8;
  static constexpr std::uint64_t kLimitMs = 10'000;

  explicit ExplainedRequests(const ConnectionContext& context);
  ~ExplainedRequests();

  // Begins a request that comes to this address. `told` is called once, unless the worker ends before.
  using Told = std::function<void(const Explanation&)>;
  void explain(const ExplainQuery& query, const AddressContext& at, Told told);
  void resume(Ticket ticket, const ModuleInstance& from) override;
  void close_all();

 private:
  class Request;
  void ended(const Request& request);

  const ConnectionContext& context_;
  std::vector<std::unique_ptr<Request>> requests_;
  std::uint32_t last_serial_ = 0;
};

}  // namespace sluice
