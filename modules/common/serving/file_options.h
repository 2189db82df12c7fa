// The options of every module that derives from FileHandler, and their values for one mount. They are read
// once, when the handler is made.
#pragma once

#include <sluice/handler.h>

#include <array>
#include <string>
#include <vector>

#include "common/files/open_beneath.h"
#include "common/http/type_table.h"

namespace sluice::files {

inline constexpr std::array kFileOptions = {
    OptionInfo{"index", OptionType::list, 0, "index.html",
               "the file that is sent for a folder, the first of these that is there; empty for none"},
    OptionInfo{"listing", OptionType::flag, 0, "off",
               "whether a folder without an index is listed, as HTML or (Accept: application/json) as JSON"},
    OptionInfo{
        "fallback", OptionType::text, 0, "",
        "the file that is sent in place of a missing one, for pages with a router of their own; not when the "
        "name has the extension of another type, or the request accepts no HTML"},
    OptionInfo{"errors", OptionType::text, 0, "",
               "the folder with a page for each error: 404.html, 403.html, ..."},
    OptionInfo{
        "hidden", OptionType::flag, 0, "off",
        "whether names that start with a dot are served; .well-known/ at the top of the mount always is"},
    OptionInfo{"links", OptionType::flag, 0, "on",
               "whether symbolic links are followed; links that lead out of the root never are"},
    OptionInfo{
        "types", OptionType::text, 0, "",
        "types by extension that replace or extend the usual ones: wasm=application/wasm;md=text/markdown"},
    OptionInfo{
        "types_file", OptionType::text, 0, "",
        "a file of types that replace or extend the usual ones, as /etc/mime.types is written; types comes "
        "first. It is read at the start and at each reload"},
    OptionInfo{"charset", OptionType::text, 0, "utf-8",
               "the charset of text types for which types says none; none for no charset"},
    OptionInfo{"default_type", OptionType::text, 0, "application/octet-stream",
               "the Content-Type of files with an unknown extension"},
    OptionInfo{"precompressed", OptionType::flag, 0, "off",
               "whether FILE.zst, FILE.br or FILE.gz is sent for FILE to clients that accept it, unless it is "
               "older (in whole seconds) or browsers cannot decode it (its window is too large)"},
    OptionInfo{"cache_control", OptionType::text, 0, "",
               "the Cache-Control of files; empty for none. If set, the fallback and listings get no-cache"},
    OptionInfo{
        "releases", OptionType::flag, 0, "off",
        "whether the link current in the folder is served, which leads into the folder releases beside it: a "
        "name with a hash in it that the current release lacks is sent from the latest one that has it"},
    OptionInfo{"releases_max", OptionType::number, 0, "4",
               "how many other releases are looked at; at most 100"},
    OptionInfo{"nosniff", OptionType::flag, 0, "on", "whether answers tell browsers to trust the Content-Type"},
    OptionInfo{"etag", OptionType::choice, 0, "mtime",
               "what ETags are made from: mtime (time, size and inode), or hash (content up to 256M, equal on "
               "all replicas)",
               "mtime|hash"},
    OptionInfo{"inline_max", OptionType::size, 0, "8k",
               "files up to this size are sent from memory; at most 1M"},
    OptionInfo{"entries_max", OptionType::number, 0, "16384",
               "how many open files a worker keeps; the largest of all mounts counts"},
    OptionInfo{"revalidate_ms", OptionType::duration_ms, 0, "1s",
               "how long a change that the kernel does not report may go unseen, such as another file moved to "
               "the same path on a network file system; 0 checks every time"},
};

// The options of all file handlers, followed by a module's own.
template <std::size_t Count>
constexpr auto with_file_options(const std::array<OptionInfo, Count>& own) {
  std::array<OptionInfo, kFileOptions.size() + Count> all;
  for (std::size_t i = 0; i < kFileOptions.size(); ++i) all[i] = kFileOptions[i];
  for (std::size_t i = 0; i < Count; ++i) all[kFileOptions.size() + i] = own[i];
  return all;
}

struct FileOptions {
  // Throws std::runtime_error with a sentence for the person who wrote the mount.
  explicit FileOptions(Host& host);

  // The settings that decide which file a path leads to, and with which head lines. Mounts with equal rules
  // share their open files.
  std::string rules() const {
    return types_text + "\n" + types_file + "\n" + charset + "\n" + default_type +
           (hash_etags ? "\nhash" : "") + (links == Links::refused ? "\nno links" : "");
  }

  std::vector<std::string> indexes;  // none is empty
  std::string fallback;
  std::string errors;  // empty or ending in '/'
  std::string types_text;
  std::string types_file;  // its content
  std::string charset;
  TypeTable types;
  std::string default_type;
  std::string cache_control;
  Links links;
  bool listing;
  bool hidden;
  bool precompressed;
  bool nosniff;
  std::string release;  // the part of the path that leads to the current one; empty or ending in '/'
  std::uint64_t releases_max;
  bool hash_etags;
  std::uint64_t inline_max;
  std::uint64_t entries_max;
  std::uint64_t revalidate_ms;
};

}  // namespace sluice::files
