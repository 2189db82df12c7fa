#include "common/files/open_beneath.h"

#include <catch2/catch.hpp>
#include <cerrno>

using namespace sluice::files;

TEST_CASE("statuses of files that do not open", "[open]") {
  for (const int error : {ENOENT, ENOTDIR, ELOOP, EXDEV, ENAMETOOLONG}) CHECK(status_of(error) == 404);
  for (const int error : {EACCES, EPERM}) CHECK(status_of(error) == 403);
  for (const int error : {EMFILE, ENFILE, EAGAIN, ENOMEM}) CHECK(status_of(error) == 503);
  CHECK(status_of(EIO) == 500);
}
