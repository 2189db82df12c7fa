// A trivial handler, and an echo by WebSocket, on Boost.Beast: one thread, asynchronous. beast PORT
#include <boost/asio.hpp>
#include <boost/beast.hpp>

#include <cstdlib>
#include <memory>
#include <utility>

namespace {

namespace beast = boost::beast;
namespace http = beast::http;
using Tcp = boost::asio::ip::tcp;

class Echo : public std::enable_shared_from_this<Echo> {
 public:
  explicit Echo(beast::tcp_stream&& stream) : socket_(std::move(stream)) {}
  void begin(const http::request<http::string_body>& request) {
    socket_.async_accept(request, [self = shared_from_this()](beast::error_code error) {
      if (!error) self->read();
    });
  }

 private:
  void read() {
    socket_.async_read(buffer_, [self = shared_from_this()](beast::error_code error, std::size_t) {
      if (!error) self->write();
    });
  }
  void write() {
    socket_.text(socket_.got_text());
    socket_.async_write(buffer_.data(), [self = shared_from_this()](beast::error_code error, std::size_t) {
      self->buffer_.consume(self->buffer_.size());
      if (!error) self->read();
    });
  }

  beast::websocket::stream<beast::tcp_stream> socket_;
  beast::flat_buffer buffer_;
};

class Session : public std::enable_shared_from_this<Session> {
 public:
  explicit Session(Tcp::socket&& socket) : stream_(std::move(socket)) {}
  void read() {
    request_ = {};
    http::async_read(stream_, buffer_, request_,
                     [self = shared_from_this()](beast::error_code error, std::size_t) {
                       if (!error) self->answer();
                     });
  }

 private:
  void answer() {
    if (beast::websocket::is_upgrade(request_))
      return std::make_shared<Echo>(std::move(stream_))->begin(request_);
    const bool is_json = request_.target() == "/json/";
    response_ = {http::status::ok, request_.version()};
    response_.set(http::field::server, "beast");
    response_.set(http::field::content_type, is_json ? "application/json" : "text/plain");
    response_.body() =
        is_json ? R"({"name":"attic","seats":4,"open":true})" : "Hello from a module of sluice.\n";
    response_.keep_alive(request_.keep_alive());
    response_.prepare_payload();
    http::async_write(stream_, response_, [self = shared_from_this()](beast::error_code error, std::size_t) {
      if (!error && self->response_.keep_alive()) self->read();
    });
  }

  beast::tcp_stream stream_;
  beast::flat_buffer buffer_;
  http::request<http::string_body> request_;
  http::response<http::string_body> response_;
};

void accept(Tcp::acceptor& acceptor) {
  acceptor.async_accept([&](beast::error_code error, Tcp::socket socket) {
    if (!error) {
      socket.set_option(Tcp::no_delay(true));
      std::make_shared<Session>(std::move(socket))->read();
    }
    accept(acceptor);
  });
}

}  // namespace

int main(int argc, char** argv) {
  if (argc != 2) return 2;
  boost::asio::io_context context(1);
  const auto port = static_cast<unsigned short>(std::atoi(argv[1]));
  Tcp::acceptor acceptor(context, {boost::asio::ip::make_address("127.0.0.1"), port});
  acceptor.listen(1024);
  accept(acceptor);
  context.run();
}
