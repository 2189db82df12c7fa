#include "common/serving/file_options.h"

#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <cstring>
#include <stdexcept>

#include "common/files/owned_fd.h"
#include "common/files/releases.h"
#include "common/http/text.h"

namespace sluice::files {
namespace {

constexpr std::uint64_t kInlineLimit = 1 << 20;
constexpr std::uint64_t kReleasesLimit = 100;

std::string text_of(Host& host, const char* name) {
  return std::string(std::string_view(host.option(name)));
}

// A path beneath the folder, without a slash at either end.
std::string path_of(Host& host, const char* name) {
  std::string path = text_of(host, name);
  if (path.starts_with('/'))
    throw std::runtime_error(std::string(name) +
                             " is a path below the mount: leave out the slash at its beginning");
  return path;
}

// Of the file that the option names; empty if it names none.
std::string content_of(Host& host, const char* name) {
  constexpr std::size_t kSizeMax = 1 << 20;
  const std::string path = text_of(host, name);
  if (path.empty()) return {};
  const OwnedFd fd(open(path.c_str(), O_RDONLY | O_CLOEXEC | O_NONBLOCK | O_NOCTTY));
  struct stat about {};
  if (!fd || fstat(fd.get(), &about) != 0)
    throw std::runtime_error(std::string(name) + ": '" + path + "' cannot be read: " + std::strerror(errno) +
                             "; the workers' user has to be allowed to read it");
  if (!S_ISREG(about.st_mode) || about.st_size > static_cast<off_t>(kSizeMax))
    throw std::runtime_error(
        std::string(name) + ": '" + path +
        "' is not a file of up to 1 MiB: name one with a type and its extensions in each line");
  std::string content(static_cast<std::size_t>(about.st_size), '\0');
  const ssize_t got = pread(fd.get(), content.data(), content.size(), 0);
  if (got != static_cast<ssize_t>(content.size()))
    throw std::runtime_error(std::string(name) + ": '" + path + "' cannot be read whole: " +
                             (got < 0 ? std::strerror(errno) : "it has become shorter") +
                             "; write it again, and reload");
  return content;
}

void require_field_value(Host& host, const char* name, const std::string& value) {
  const Field field{"Content-Type", value};
  FieldBlock* checked = host.prepare_fields(&field, 1);
  if (checked == nullptr) throw std::runtime_error(std::string(name) + " is not a valid field value");
  host.release_fields(checked);
}

}  // namespace

FileOptions::FileOptions(Host& host)
    : indexes(items_of(host.option("index"))),
      fallback(path_of(host, "fallback")),
      errors(path_of(host, "errors")),
      types_text(text_of(host, "types")),
      types_file(content_of(host, "types_file")),
      charset(text_of(host, "charset")),
      types(types_text, charset, types_file),
      default_type(text_of(host, "default_type")),
      cache_control(text_of(host, "cache_control")),
      links(host.number("links") != 0 ? Links::followed : Links::refused),
      listing(host.number("listing") != 0),
      hidden(host.number("hidden") != 0),
      precompressed(host.number("precompressed") != 0),
      nosniff(host.number("nosniff") != 0),
      release(host.number("releases") != 0 ? kCurrentRelease : ""),
      releases_max(host.number("releases_max")),
      hash_etags(std::string_view(host.option("etag")) == "hash"),
      inline_max(host.number("inline_max")),
      entries_max(host.number("entries_max")),
      revalidate_ms(host.number("revalidate_ms")) {
  if (host.folder().fd < 0) throw std::runtime_error("it has no folder to serve");
  if (inline_max > kInlineLimit) throw std::runtime_error("inline_max is more than 1M: write 1M or less");
  if (releases_max > kReleasesLimit)
    throw std::runtime_error("releases_max is more than 100: write 100 or less");
  if (!release.empty() && links == Links::refused)
    throw std::runtime_error("releases=on follows the link current: leave links=off out");
  for (const std::string& index : indexes) {
    if (index.find('/') != std::string::npos)
      throw std::runtime_error("index has a slash: write only the name of a file");
  }
  if (default_type.empty()) throw std::runtime_error("default_type is empty: write a media type");
  require_field_value(host, "default_type", default_type);
  require_field_value(host, "cache_control", cache_control);
  if (!errors.empty() && !errors.ends_with('/')) errors += '/';
}

}  // namespace sluice::files
