// Random sequences over TLS: see support/random_sequences.h. Records come and go in pieces, the client changes
// its keys, ends its side in order or within a record, or damages a record, at any point of the handshake and
// behind it. OpenSSL's queue of errors stays empty for the next connection.
#include <openssl/bio.h>
#include <openssl/err.h>
#include <openssl/ssl.h>

#include <algorithm>
#include <catch2/catch.hpp>
#include <memory>

#include "support/random_sequences.h"
#include "support/tls_address.h"

using namespace sluice;

namespace {

struct Fixture : test::RandomSequences {
  test::TlsAddress address{{*make_self_signed({})}};
  TlsServices tls = address.services(*loop, *offload);
  AddressContext at{address.address.names, &tls};
  std::unique_ptr<SSL_CTX, void (*)(SSL_CTX*)> context{SSL_CTX_new(TLS_client_method()), SSL_CTX_free};
  std::unique_ptr<SSL, void (*)(SSL*)> ssl{nullptr, SSL_free};
  std::string out;         // records for the server, made but not sent
  bool damaged = false;    // the client cannot go on
  unsigned conversed = 0;  // connections whose handshake was done
  unsigned answered = 0;   // requests

  ~Fixture() override { table.close_all(); }

  void begin(int client_end, UniqueFd server_end) override {
    client.reset(client_end);
    ssl.reset(SSL_new(context.get()));
    SSL_set_bio(ssl.get(), BIO_new(BIO_s_mem()), BIO_new(BIO_s_mem()));
    SSL_set_connect_state(ssl.get());
    if (below(3) == 0) SSL_set_max_proto_version(ssl.get(), TLS1_2_VERSION);
    out.clear();
    damaged = false;
    table.accept(std::move(server_end), at);
  }
  // What the client's OpenSSL has made.
  void collect() {
    char bytes[4096];
    for (int got = 1; got > 0;) {
      got = BIO_read(SSL_get_wbio(ssl.get()), bytes, sizeof(bytes));
      if (got > 0) out.append(bytes, static_cast<std::size_t>(got));
    }
    ERR_clear_error();
  }
  void send_some() override {
    if (out.empty() && !damaged) {
      if (SSL_is_init_finished(ssl.get()) == 0) {
        if (SSL_do_handshake(ssl.get()) == 1) ++conversed;
      } else {
        if (unsent.empty()) unsent = a_request();
        const int size =
            1 + static_cast<int>(below(static_cast<unsigned>(std::min<std::size_t>(unsent.size(), 3000))));
        const int sent = SSL_write(ssl.get(), unsent.data(), size);
        if (sent > 0) unsent.erase(0, static_cast<std::size_t>(sent));
      }
      collect();
    }
    if (out.empty()) return;
    // Whole mostly, else the handshake takes most of the steps.
    const std::size_t size = below(3) != 0 ? out.size() : 1 + below(static_cast<unsigned>(out.size()));
    const ssize_t sent = ::send(client.get(), out.data(), size, MSG_NOSIGNAL);
    if (sent > 0) out.erase(0, static_cast<std::size_t>(sent));
  }
  void receive_some() override {
    const std::string records = receive();
    if (!records.empty()) BIO_write(SSL_get_rbio(ssl.get()), records.data(), static_cast<int>(records.size()));
    if (SSL_is_init_finished(ssl.get()) == 0) {
      if (!damaged && SSL_do_handshake(ssl.get()) == 1) ++conversed;
      if (!damaged) check_records();
      return collect();
    }
    char content[8192];
    for (int got = 1; got > 0;) {
      got = SSL_read(ssl.get(), content, sizeof(content));
      const unsigned before = answers.whole();
      if (got > 0) REQUIRE(answers.take({content, static_cast<std::size_t>(got)}));
      answered += answers.whole() - before;
    }
    if (!damaged) check_records();
    collect();
  }
  // What the server has sent can be read, unless the client itself has broken the connection.
  static void check_records() { REQUIRE(ERR_GET_LIB(ERR_peek_error()) != ERR_LIB_SSL); }
  // All answers of an idle connection leave, whole. Records may still wait for room.
  void check_idle() override {
    receive_some();
    for (int i = 0; i < 100 && answers.in_the_middle() && table.size() > 0; ++i) {
      turn();
      receive_some();
    }
    if (!damaged && table.size() > 0) REQUIRE_FALSE(answers.in_the_middle());
  }
  void turn() override {
    ERR_clear_error();
    loop->turn(0);
    REQUIRE(ERR_peek_error() == 0);
  }
  void do_otherwise() override {
    if (below(4) != 0) return;
    switch (below(4)) {
      case 0:
        if (SSL_is_init_finished(ssl.get()) != 0 && SSL_version(ssl.get()) == TLS1_3_VERSION && !damaged)
          SSL_key_update(ssl.get(), below(2) == 0 ? SSL_KEY_UPDATE_REQUESTED : SSL_KEY_UPDATE_NOT_REQUESTED);
        break;
      case 1:
        if (below(4) == 0) SSL_shutdown(ssl.get()), damaged = true;
        break;
      case 2:
        if (!out.empty() && below(4) == 0)
          out[below(static_cast<unsigned>(out.size()))] ^= 0x40, damaged = true;
        break;
      default:
        if (below(8) == 0) out += "GET / HTTP/1.1\r\n\r\n", damaged = true;
        break;
    }
    collect();
  }
};

}  // namespace

TEST_CASE_METHOD(Fixture, "random sequences over TLS end every connection in order", "[connection][tls]") {
  for (unsigned seed = 1; seed <= 200; ++seed) run(seed);
  run(935628424);  // idle while records wait for room
  // The sequences reach behind the handshake.
  CHECK(conversed > 50);
  CHECK(answered > 50);
}

TEST_CASE_METHOD(Fixture, "new random sequences over TLS end every connection in order",
                 "[connection][tls][full]") {
  std::random_device seeds;
  for (int i = 0; i < 3'000; ++i) run(seeds());
}
