#include "server/takeover.h"

#include <sys/socket.h>

#include <cerrno>

namespace sluice {

Result<void> Takeover::be_ready(EventLoop& loop) {
  if (!heard_.begin(loop, handover_.channel.get(), EPOLLIN, *this))
    return fail_errno("the former server cannot be heard", errno);
  // If it has ended meanwhile, that is heard as well.
  static_cast<void>(::send(handover_.channel.get(), &Handover::kReady, 1, MSG_NOSIGNAL | MSG_DONTWAIT));
  return {};
}

void Takeover::on_events(std::uint32_t) {
  char message = 0;
  const ssize_t got = ::recv(handover_.channel.get(), &message, 1, MSG_DONTWAIT);
  if (got < 0 && (errno == EAGAIN || errno == EINTR)) return;
  heard_.end();
  may_serve_ = true;
}

void Takeover::close_for_child() {
  heard_.end();
  handover_.channel.reset();
}

}  // namespace sluice
