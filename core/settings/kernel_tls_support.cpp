#include "settings/kernel_tls_support.h"

#include <netinet/in.h>
#include <netinet/tcp.h>
#include <sys/socket.h>

#include <algorithm>
#include <cerrno>

#include "base/unique_fd.h"

namespace sluice {
namespace {

bool kernel_has_tls() {
  const UniqueFd socket(::socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0));
  if (!socket) return true;  // not known
  // The kernel finds its module first, and then refuses a socket that is not connected.
  return ::setsockopt(socket.get(), SOL_TCP, TCP_ULP, "tls", sizeof("tls")) == 0 || errno == ENOTCONN;
}

}  // namespace

std::optional<std::string> kernel_tls_warning(const ServingPlan& plan) {
  const bool asked = plan.settings.kernel_tls &&
                     std::any_of(plan.groups.begin(), plan.groups.end(), [](const ServingGroup& group) {
                       return std::any_of(group.addresses.begin(), group.addresses.end(),
                                          [](const ServedAddress& address) { return address.at.tls; });
                     });
  if (!asked || kernel_has_tls()) return std::nullopt;
  return "ktls has no effect, because this kernel has no TLS: load its module with `modprobe tls`, or leave "
         "ktls off";
}

}  // namespace sluice
