// Memory for nghttp2's sessions. Each session allocates a buffer for one outgoing frame of the largest size as
// soon as it is made, and then mostly writes short frames into its beginning. Here, such a buffer begins at a
// page of its own, so that the pages behind the written ones take no memory. All else comes from malloc(3).
//
// Memory: a buffer takes 20 KiB of address space, of which an idle connection has written 4 KiB. Buffers of
// closed connections are kept for the next ones, 64 of them with their pages. If no address space is left,
// malloc is asked. Thread: the loop's. A session is used and deleted by the thread that made it. Source:
// mmap(2), madvise(2), nghttp2's nghttp2_mem.
#pragma once

#include <nghttp2/nghttp2.h>

namespace sluice {

// Lives as long as the thread. nghttp2 does not change it.
nghttp2_mem* http2_memory();

}  // namespace sluice
