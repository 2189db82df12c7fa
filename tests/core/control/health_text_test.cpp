// The lines by which modules learn how the server is.
#include "control/health_text.h"

#include <catch2/catch.hpp>

using namespace sluice;

TEST_CASE("the state, and each module with it", "[health]") {
  ServerView view;
  CHECK(health_text(view) == "ready\n");
  view.state = "stopping";
  view.modules = {{"a.so", "/p/a.1.so", 1, "first", "", false, false},
                  {"b.so", "/p/b.1.so", 1, "second", "", true, false},
                  {"c.so", "/p/c.1.so", 1, "", "", true, false}};
  CHECK(health_text(view) == "stopping\non first\noff second\noff c.so\n");
}
