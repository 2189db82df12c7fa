// Addresses and mounts as a person writes them: what is accepted obeys the grammar and means the same when it
// is written again, and a refusal is a sentence. Names are not looked up.
#include <netdb.h>

#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <cstring>
#include <string>
#include <string_view>

#include "expect.h"
#include "settings/mount_spec.h"
#include "settings/site_names.h"

using namespace sluice;
using fuzz::expect;

// In place of the C library's, by the linker's --wrap: addresses are read, and every name is known.
extern "C" int __real_getaddrinfo(const char* host, const char* port, const addrinfo* asked, addrinfo** found);
extern "C" int __wrap_getaddrinfo(const char* host, const char* port, const addrinfo* asked, addrinfo** found) {
  addrinfo numeric = *asked;
  numeric.ai_flags |= AI_NUMERICHOST;
  const int error = __real_getaddrinfo(host, port, &numeric, found);
  if (error != EAI_NONAME || asked->ai_family == AF_INET6) return error;
  return __real_getaddrinfo("::1", port, &numeric, found);
}

namespace {

void check_refusal(const Error& error) {
  expect(!error.message.empty(), "a refusal says why");
}

void check_address(std::string_view text) {
  const auto parsed = parse_listen(text);
  if (!parsed) return check_refusal(parsed.error());
  expect(parsed->length > 0 && parsed->length <= sizeof(parsed->address), "an address has a size");
  const auto again = parse_listen(parsed->text);
  expect(again && again->text == parsed->text && again->length == parsed->length &&
             std::memcmp(&again->address, &parsed->address, parsed->length) == 0,
         "an address means the same when it is written again");
  expect(std::none_of(parsed->text.begin(), parsed->text.end(),
                      [](char byte) { return static_cast<unsigned char>(byte) < 0x20; }),
         "an address has no control character");
}

void check_site_name(std::string_view text) {
  const auto parsed = parse_site_name(text);
  if (!parsed) return check_refusal(parsed.error());
  const auto again = parse_site_name(*parsed);
  expect(again && *again == *parsed, "a name means the same when it is written again");
  SiteNames names;
  expect(names.add(*parsed, 1), "a name can be claimed");
  const std::string host = parsed->starts_with('*') ? "a" + parsed->substr(1) : *parsed;
  // A host with a label more than a name may have is nobody's.
  expect(names.find(host) == 1 || host.size() > 253, "a site is found by its name");
}

std::string with_escapes(const std::string& value) {
  std::string out;
  for (const char byte : value) {
    if (byte == ',' || byte == '\\') out += '\\';
    out += byte;
  }
  return out;
}

std::string written(const MountSpec& mount) {
  std::string options;
  const auto add = [&options](const std::string& key, const std::string& value) {
    options += (options.empty() ? ":" : ",") + key + "=" + with_escapes(value);
  };
  if (mount.root) add("root", *mount.root);
  if (mount.isolate) add("isolate", "on");
  if (mount.listen) add("listen", mount.listen->text);
  for (const auto& [key, value] : mount.options) add(key, value);
  return mount.site_name + mount.prefix + "=" + mount.module + options;
}

void check_mount(std::string_view text) {
  const auto parsed = parse_mount(text);
  if (!parsed) return check_refusal(parsed.error());
  expect(parsed->prefix.starts_with('/') && parsed->prefix.ends_with('/'), "slashes surround a prefix");
  for (const char* never : {"//", "/./", "/../"})
    expect(parsed->prefix.find(never) == std::string::npos, "a prefix has only segments that requests have");
  expect(!parsed->module.empty(), "a mount names a module");
  expect(parsed->isolate == parsed->listen.has_value(), "an isolated mount has an address");
  // The module's own options may be lists, whose key is given several times.
  for (const auto& [key, value] : parsed->options)
    expect(key != "root" && key != "isolate" && key != "listen", "the server's own options stay with it");
  const auto again = parse_mount(written(*parsed));
  expect(again && written(*again) == written(*parsed) && again->options == parsed->options,
         "a mount means the same when it is written again");
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  const std::string_view text(reinterpret_cast<const char*>(data), size);
  check_address(text);
  check_mount(text);
  check_site_name(text);
  return 0;
}
