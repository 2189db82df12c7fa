#include "process/heard_child.h"

#include <cerrno>
#include <utility>

namespace sluice {

Result<std::unique_ptr<HeardChild>> HeardChild::start(EventLoop& loop,
                                                      const std::function<std::string()>& task) {
  auto child = Child::start(task);
  if (!child) return Unexpected(child.error());
  std::unique_ptr<HeardChild> heard(new HeardChild(std::move(*child)));
  if (!heard->report_.begin(loop, heard->child_->fd(), EPOLLIN, *heard))
    return fail_errno("cannot watch a child", errno);
  return heard;
}

}  // namespace sluice
