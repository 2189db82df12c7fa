// The worker's part of `sluice explain`.
#include <fcntl.h>
#include <unistd.h>

#include <memory>

#include "base/explain_query.h"
#include "worker/worker.h"

namespace sluice {
namespace {

// The address to which such a client would connect: the port counts first, then whether TLS is spoken.
std::size_t address_for(const ExplainQuery& query, const std::vector<ServedAddress>& addresses) {
  std::size_t best = 0;
  unsigned best_fit = 0;
  for (std::size_t i = 0; i < addresses.size(); ++i) {
    const ListenAddress& at = addresses[i].at;
    const bool has_port = query.port != 0 && port_of(at) == query.port;
    const unsigned fit = (has_port ? 2 : 0) + (at.tls == query.secure ? 1 : 0);
    if (fit > best_fit) best = i, best_fit = fit;
  }
  return best;
}

}  // namespace

void Worker::explain(const WorkerMessage& message) {
  const auto memory = std::make_shared<UniqueFd>(::fcntl(message.fd.get(), F_DUPFD_CLOEXEC, 0));
  const auto tell = [this, number = message.number, memory](const std::string& text) {
    // Without memory for all of it, the supervisor gets less, which it does not take for an answer.
    static_cast<void>(!::pwrite(memory->get(), text.data(), text.size(), 0));
    send_message(control_, {ControlMessage::explained, number});
  };
  const auto query = ExplainQuery::decode(message.text);
  if (!query) return tell("error " + query.error().message);
  const std::size_t index = address_for(*query, group_.addresses);
  explained_.explain(*query, addresses_[index]->context,
                     [tell](const Explanation& told) { tell(told.text()); });
}

}  // namespace sluice
