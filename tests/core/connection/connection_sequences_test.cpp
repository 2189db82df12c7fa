// Random sequences in clear text: see support/random_sequences.h.
#include <catch2/catch.hpp>

#include "support/random_sequences.h"

using namespace sluice;

namespace {

struct Fixture : test::RandomSequences {
  void begin(int client_end, UniqueFd server_end) override {
    client.reset(client_end);
    table.accept(std::move(server_end), site.address);
  }
  void send_some() override {
    if (unsent.empty()) unsent = a_request();
    const ssize_t sent =
        ::send(client.get(), unsent.data(), 1 + below(static_cast<unsigned>(unsent.size())), MSG_NOSIGNAL);
    if (sent > 0) unsent.erase(0, static_cast<std::size_t>(sent));
  }
  void receive_some() override { REQUIRE(answers.take(receive())); }
  // All answers of an idle connection have left, whole.
  void check_idle() override {
    for (std::string bytes = receive(); !bytes.empty(); bytes = receive()) REQUIRE(answers.take(bytes));
    REQUIRE_FALSE(answers.in_the_middle());
  }
};

}  // namespace

TEST_CASE_METHOD(Fixture, "random sequences end every connection in order", "[connection]") {
  for (unsigned seed = 1; seed <= 300; ++seed) run(seed);
}

TEST_CASE_METHOD(Fixture, "new random sequences end every connection in order", "[connection][full]") {
  std::random_device seeds;
  for (int i = 0; i < 5'000; ++i) run(seeds());
}
