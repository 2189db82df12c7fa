#include "settings/name_service.h"

#include <netdb.h>
#include <pwd.h>

#include <algorithm>
#include <charconv>
#include <cstring>
#include <functional>
#include <map>
#include <memory>

#include "base/netstring.h"

namespace sluice {
namespace {

constexpr std::size_t kAddressesMax = 16;  // of one name

// The answers by their questions. It stays small, because a server looks up only the names in its settings.
std::map<std::string, std::string> heard;
bool asks_nobody = false;

// The answer to a question, as text; empty for none.
std::string answer(const std::string& question, const std::function<std::string()>& ask) {
  const auto known = heard.find(question);
  if (asks_nobody) return known == heard.end() ? "" : known->second;
  return heard[question] = ask();
}

std::string ask_for_host(const std::string& host, std::uint16_t port, int family) {
  addrinfo hints{};
  hints.ai_family = family;
  hints.ai_socktype = SOCK_STREAM;
  hints.ai_flags = AI_NUMERICSERV | (family == AF_INET6 ? AI_NUMERICHOST : 0);
  addrinfo* found = nullptr;
  const int error = ::getaddrinfo(host.c_str(), std::to_string(port).c_str(), &hints, &found);
  NetstringWriter out;
  out.put(std::to_string(error));
  if (error != 0) return out.take();
  const std::unique_ptr<addrinfo, decltype(&::freeaddrinfo)> owner(found, &::freeaddrinfo);
  for (const addrinfo* one = found; one != nullptr; one = one->ai_next)
    out.put(std::string_view(reinterpret_cast<const char*>(one->ai_addr), one->ai_addrlen));
  return out.take();
}

std::string ask_for_user(const std::string& name) {
  const passwd* entry = ::getpwnam(name.c_str());
  if (entry == nullptr) return "";
  return NetstringWriter().put(entry->pw_uid).put(entry->pw_gid).take();
}

}  // namespace

HostAddresses look_up_host(const std::string& host, std::uint16_t port, int family) {
  const std::string question =
      NetstringWriter().put("host").put(host).put(port).put(static_cast<unsigned>(family)).take();
  const std::string text = answer(question, [&] { return ask_for_host(host, port, family); });
  HostAddresses addresses;
  NetstringReader fields(text);
  const std::string error(fields.next());
  addresses.error = EAI_AGAIN;  // stays if there is no answer
  std::from_chars(error.data(), error.data() + error.size(), addresses.error);
  while (!fields.at_end() && addresses.all.size() < kAddressesMax) {
    const std::string_view bytes = fields.next();
    HostAddresses::One one;
    one.length = static_cast<socklen_t>(std::min(bytes.size(), sizeof(one.address)));
    std::memcpy(&one.address, bytes.data(), one.length);
    const auto is_same = [&](const HostAddresses::One& other) {
      return other.length == one.length && std::memcmp(&other.address, &one.address, one.length) == 0;
    };
    if (std::none_of(addresses.all.begin(), addresses.all.end(), is_same)) addresses.all.push_back(one);
  }
  if (addresses.error == 0 && addresses.all.empty()) addresses.error = EAI_NONAME;
  return addresses;
}

std::optional<UserNumbers> look_up_user(const std::string& name) {
  const std::string text =
      answer(NetstringWriter().put("user").put(name).take(), [&] { return ask_for_user(name); });
  if (text.empty()) return std::nullopt;
  NetstringReader fields(text);
  UserNumbers numbers;
  numbers.uid = static_cast<uid_t>(fields.next_number());
  numbers.gid = static_cast<gid_t>(fields.next_number());
  return numbers;
}

std::string heard_names() {
  NetstringWriter out;
  for (const auto& [question, text] : heard) out.put(question).put(text);
  return out.take();
}

HeardNames::HeardNames(std::string_view text) {
  heard.clear();
  for (NetstringReader fields(text); !fields.at_end();) {
    const std::string question(fields.next());
    heard[question] = fields.next();
  }
  asks_nobody = true;
}

HeardNames::~HeardNames() {
  asks_nobody = false;
  heard.clear();
}

}  // namespace sluice
