// Sockets that a service manager passes. Each case runs in a child, where the descriptors from 3 on are free.
#include "process/inherited_sockets.h"

#include <fcntl.h>
#include <netinet/in.h>
#include <sys/socket.h>
#include <unistd.h>

#include <catch2/catch.hpp>
#include <functional>
#include <string>
#include <vector>

#include "base/child_process.h"
#include "process/listen_group.h"
#include "support/addresses.h"
#include "support/temp_folder.h"

using namespace sluice;
using Catch::Matchers::Contains;
using Catch::Matchers::StartsWith;
using sluice::test::address;
using sluice::test::TempFolder;

namespace {

// A socket that listens there, as a service manager opens it: it blocks, and takes one family.
UniqueFd open_there(const ListenAddress& to, int v6_only = 1) {
  UniqueFd socket(::socket(to.address.ss_family, SOCK_STREAM, 0));
  if (to.address.ss_family == AF_INET6)
    ::setsockopt(socket.get(), IPPROTO_IPV6, IPV6_V6ONLY, &v6_only, sizeof(v6_only));
  const bool listens = ::bind(socket.get(), reinterpret_cast<const sockaddr*>(&to.address), to.length) == 0 &&
                       ::listen(socket.get(), 8) == 0;
  return listens ? std::move(socket) : UniqueFd();
}

ListenAddress bound(const UniqueFd& socket) {
  sockaddr_in at{};
  socklen_t length = sizeof(at);
  ::getsockname(socket.get(), reinterpret_cast<sockaddr*>(&at), &length);
  return address("127.0.0.1:" + std::to_string(ntohs(at.sin_port)));
}

ServingPlan plan_for(const std::vector<ListenAddress>& addresses) {
  ServingPlan plan;
  plan.groups.emplace_back();
  for (const ListenAddress& at : addresses) plan.groups.front().addresses.push_back({at, {}});
  return plan;
}

// Passes the sockets to a child, as a service manager does, and returns what `use` says there.
using Use = std::function<std::string(const Result<InheritedSockets>&)>;
std::string passed(const std::vector<int>& sockets, const std::string& names, const Use& use) {
  const auto said = run_in_child(
      [&] {
        std::vector<int> high;
        for (const int socket : sockets) high.push_back(::fcntl(socket, F_DUPFD, 100));
        for (std::size_t i = 0; i < high.size(); ++i) ::dup2(high[i], 3 + static_cast<int>(i));
        ServiceVariables variables;
        variables.listen_fds = std::to_string(sockets.size());
        variables.listen_pid = std::to_string(::getpid());
        variables.listen_fdnames = names;
        return use(InheritedSockets::take(variables));
      },
      10'000);
  return said ? *said : "the child " + said.error().message;
}

std::string error_of(const Result<InheritedSockets>& taken) {
  return taken ? "taken" : taken.error().message;
}

}  // namespace

TEST_CASE("a passed socket is used for its address, and closed in children", "[inherited]") {
  const UniqueFd socket = open_there(address("127.0.0.1:0"));
  REQUIRE(socket);
  const ListenAddress at = bound(socket);
  CHECK(passed({socket.get()}, "web", [&](const Result<InheritedSockets>& taken) -> std::string {
          if (!taken) return taken.error().message;
          if (!taken->check_wanted(plan_for({at}))) return "not wanted";
          if (!taken->has(at) || taken->has(address("127.0.0.1:1"))) return "at another address";
          if ((::fcntl(3, F_GETFD) & FD_CLOEXEC) == 0) return "passed on by exec";
          if ((::fcntl(3, F_GETFL) & O_NONBLOCK) == 0) return "it blocks";
          auto copies = taken->at(at);
          if (!copies || copies->size() != 1) return "no copy";
          auto group = ListenGroup::inherit(at, std::move(*copies));
          if (group->sockets_of(0, 2) != group->sockets_of(1, 2)) return "not shared";
          if (!group->provide(8) || group->sockets_of(0, 8).size() != 1) return "more sockets";
          if (!sluice::test::connects(at)) return "nobody listens";
          auto note = try_address(at);
          if (!note || note->find("a server of this user") == std::string::npos) return "not ours for --check";
          group.reset();
          if (!sluice::test::connects(at)) return "closed with its group";
          InheritedSockets kept = std::move(*const_cast<Result<InheritedSockets>&>(taken));
          kept.close_for_child();
          return ::fcntl(3, F_GETFD) < 0 ? "fine" : "open in a child";
        }) == "fine");
}

TEST_CASE("the file of a passed Unix socket stays", "[inherited]") {
  const TempFolder folder;
  const ListenAddress at = address("unix:" + (folder / "web.sock"));
  const UniqueFd socket = open_there(at);
  REQUIRE(socket);
  CHECK(passed({socket.get()}, "", [&](const Result<InheritedSockets>& taken) -> std::string {
          if (!taken) return taken.error().message;
          // The same file, written in another way.
          const ListenAddress other = address("unix:" + folder.path + "/../" +
                                              folder.path.substr(folder.path.rfind('/') + 1) + "/web.sock");
          if (!taken->has(other)) return "not found by another path";
          auto group = ListenGroup::inherit(at, std::move(*taken->at(at)));
          group.reset();
          return ::access((folder / "web.sock").c_str(), F_OK) == 0 ? "fine" : "removed";
        }) == "fine");
}

TEST_CASE("a passed socket that nobody wants is named, with what to do", "[inherited]") {
  const UniqueFd first = open_there(address("127.0.0.1:0"));
  const UniqueFd second = open_there(address("127.0.0.1:0"));
  REQUIRE((first && second));
  const ListenAddress wanted = bound(first);
  CHECK(passed({first.get(), second.get()}, "a.socket:b.socket",
               [&](const Result<InheritedSockets>& taken) {
                 return taken ? taken->check_wanted(plan_for({wanted})).error().message : taken.error().message;
               }) == "the passed socket at " + bound(second).text +
                         " (b.socket) is at no address of the settings: add it to listen, or remove it from "
                         "the .socket unit");
}

TEST_CASE("descriptors that cannot be used are refused", "[inherited]") {
  const UniqueFd datagrams(::socket(AF_INET, SOCK_DGRAM, 0));
  CHECK_THAT(passed({datagrams.get()}, "", error_of),
             Contains("descriptor 3, which is not a socket that listens"));
  const UniqueFd deaf(::socket(AF_INET, SOCK_STREAM, 0));
  CHECK_THAT(passed({deaf.get()}, "", error_of), Contains("ListenStream= and Accept=no"));
  const UniqueFd file(::open("/dev/null", O_RDONLY));
  CHECK_THAT(passed({file.get()}, "", error_of), Contains("is not a socket that listens"));
  if (const UniqueFd both = open_there(address("[::]:0"), 0)) {
    CHECK_THAT(passed({both.get()}, "web", error_of),
               StartsWith("the passed socket at [::]:") && Contains("BindIPv6Only=ipv6-only"));
  }
  const UniqueFd one = open_there(address("127.0.0.1:0"));
  CHECK(passed({one.get()}, "", error_of) == "taken");
  CHECK_THAT(
      passed({one.get()}, "",
             [](const Result<InheritedSockets>&) {
               ::close(4);
               ::close(3);
               return error_of(InheritedSockets::take({"", "", "", "1", std::to_string(::getpid()), ""}));
             }),
      Contains("descriptor 3, which is not open"));
}

TEST_CASE("variables for another process, or in another form, pass nothing", "[inherited]") {
  const std::string own = std::to_string(::getpid());
  CHECK(InheritedSockets::take({}));
  CHECK(InheritedSockets::take({"", "", "", "5", "", ""}));
  const std::string other = std::to_string(::getppid());
  CHECK(InheritedSockets::take({"", "", "", "5", other, ""}));
  const auto warning = InheritedSockets::meant_for_other({"", "", "", "5", other, ""});
  REQUIRE(warning);
  CHECK_THAT(*warning, Contains("LISTEN_PID is '" + other + "' and this is process " + own + ": "));
  CHECK_FALSE(InheritedSockets::meant_for_other({"", "", "", "5", own, ""}));
  CHECK_FALSE(InheritedSockets::meant_for_other({"", "", "", "", other, ""}));
  for (const char* count : {"x", "-1", "1025", "99999999999999999999"}) {
    const auto taken = InheritedSockets::take({"", "", "", count, own, ""});
    REQUIRE_FALSE(taken);
    CHECK_THAT(taken.error().message, StartsWith("LISTEN_FDS is '" + std::string(count) + "'"));
  }
  CHECK(InheritedSockets::take({"", "", "", "0", own, ""}));
  CHECK(InheritedSockets::take({"", "", "", "", own, ""}));
}
