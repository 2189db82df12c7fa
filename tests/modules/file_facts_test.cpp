// The validators that follow from fstat, and from when on they are strong.
#include "common/files/file_facts.h"

#include <catch2/catch.hpp>

using namespace sluice::files;

TEST_CASE("validators follow from the facts of a file", "[facts]") {
  FileFacts facts;
  facts.size = 255;
  facts.inode = 0xabc;
  facts.mtime_s = 2;
  facts.mtime_ns = 1;
  facts.ctime_s = 1;
  facts.ctime_ns = 3;
  CHECK(make_validators(facts, 1000).etag == "\"77359401-3b9aca03-ff-abc\"");
  CHECK(make_validators(facts, 1000).last_modified == "Thu, 01 Jan 1970 00:00:02 GMT");
  CHECK(make_validators(facts, 5).etag == "\"77359401-3b9aca03-ff-abc\"");
  CHECK(make_validators(facts, 4).etag == "W/\"77359401-3b9aca03-ff-abc\"");
  CHECK(make_validators(facts, 1).etag == "W/\"77359401-3b9aca03-ff-abc\"");
  CHECK(make_validators(facts, 1).last_modified.empty());  // it would be in the future
  for (const std::int64_t meaningless : {0, 1}) {
    facts.mtime_s = meaningless;
    CHECK(make_validators(facts, 1000).etag.empty());
    CHECK(make_validators(facts, 1000).last_modified.empty());
  }
  facts.mtime_s = 900;
  facts.ctime_s = 999;
  CHECK(file_is_young(facts, 1000));  // an mtime that was set back
  CHECK(make_validators(facts, 1000).etag.starts_with("W/"));
  CHECK(make_validators(facts, 1002).etag.starts_with("\""));
}
