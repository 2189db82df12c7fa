#include "conformance/site.h"

#include <fcntl.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>
#include <unistd.h>

#include <cerrno>
#include <cstring>
#include <ctime>
#include <filesystem>
#include <fstream>
#include <stdexcept>

#include "support/server_process.h"

namespace sluice::conformance {
namespace {

constexpr const char* kHuge = "/huge.bin";
constexpr std::int64_t kDay = 24 * 60 * 60;

void set_written(const std::string& path, std::int64_t written) {
  const timespec times[] = {{written, 0}, {written, 0}};
  if (::utimensat(AT_FDCWD, path.c_str(), times, AT_SYMLINK_NOFOLLOW) != 0) {
    throw std::runtime_error(path + ": " + std::strerror(errno));
  }
}

void make_socket(const std::string& path) {
  const int fd = ::socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);
  sockaddr_un address{};
  address.sun_family = AF_UNIX;
  path.copy(address.sun_path, sizeof(address.sun_path) - 1);
  const bool made = fd >= 0 && ::bind(fd, reinterpret_cast<const sockaddr*>(&address), sizeof(address)) == 0;
  ::close(fd);
  if (!made) throw std::runtime_error(path + " cannot be made a socket");
}

}  // namespace

Site::Site(std::string root) : root_(std::move(root)) {
  make_plain_files();
  make_named_files();
  make_special_files();
  make_mounts();
  // A younger file's times prove nothing about its content, so that no tag would be strong.
  ::sleep(3);
}

void Site::write(const std::string& name, std::string_view content, std::int64_t written) {
  const std::string path = root_ + "/" + name;
  std::filesystem::create_directories(std::filesystem::path(path).parent_path());
  std::ofstream(path, std::ios::binary) << content;
  set_written(path, written);
  contents_["/" + name] = content;
}

void Site::link(const std::string& name, const std::string& target) const {
  std::filesystem::create_symlink(target, root_ + "/" + name);
}

void Site::make_plain_files() {
  write("ten.txt", "0123456789");
  write("empty.txt", "");
  write("one.txt", "1");
  write("big.bin", test::random_bytes(kBigSize));
  write("index.html", "<!doctype html><title>root</title>");
  for (const char* name : {"page.html", "page.HTML", "style.css", "script.js", "module.mjs", "data.json",
                           "image.svg", "image.png", "app.wasm", "feed.xml", "paper.pdf", "movie.mp4",
                           "noextension", "dot.", "strange.xyzzy", "archive.tar.gz", "table.csv", "notes.md"}) {
    write(name, std::string("content of ") + name);
  }
  write("folder/index.html", "<!doctype html><title>folder</title>");
  write("folder/inner.txt", "inner");
  write("folder/deep/er/file.txt", "deep");
  std::filesystem::create_directory(root_ + "/bare");
  write("epoch.txt", "epoch", 0);
  write("second.txt", "second", 1);
  write("before.txt", "before the epoch", -kDay);
  write("future.txt", "future", ::time(nullptr) + kDay);
}

void Site::make_named_files() {
  for (const char* name :
       {"with space.txt", "caf\xc3\xa9.txt", "\xff.txt", "per%cent.txt", "plus+sign.txt", "semi;colon.txt",
        "quo'te.txt", "dou\"ble.txt", "amp&eq=.txt", "back\\slash.txt", "col:on.txt", "til~de.txt",
        "ques?tion.txt", "ha#sh.txt", "<angle>.txt", "%2e%2e.txt", "...", "..two", "UPPER.txt"}) {
    write(name, std::string("content of ") + name);
  }
  write(std::string(255, 'n'), "a long name");
  write(".hidden", "hidden");
  write(".folder/file.txt", "hidden folder");
  write("folder/.htpasswd", "hidden below");
  write(".well-known/probe.txt", "well known");
  write(".well-known/.hidden", "hidden below what is well known");
}

void Site::make_special_files() {
  std::ofstream(root_ + "/../outside.txt") << "outside";
  link("link.txt", "ten.txt");
  link("chain.txt", "link.txt");
  link("linkfolder", "folder");
  link("up.txt", "folder/../ten.txt");
  link("out.txt", "../outside.txt");
  link("outfolder", "..");
  link("absolute.txt", "/etc/passwd");
  link("loop.txt", "loop.txt");
  link("dangling.txt", "nowhere.txt");
  write("secret.txt", "secret");
  write("locked/file.txt", "locked");
  std::filesystem::permissions(root_ + "/secret.txt", std::filesystem::perms::none);
  std::filesystem::permissions(root_ + "/locked", std::filesystem::perms::none);
  if (::mkfifo((root_ + "/pipe").c_str(), 0666) != 0) throw std::runtime_error("no fifo can be made");
  make_socket(root_ + "/socket");
  // A file of 5 GiB that takes no room.
  write("huge.bin", "");
  std::filesystem::resize_file(root_ + kHuge, kHugeSize);
  set_written(root_ + kHuge, kWritten);
}

void Site::make_mounts() {
  write("listed/a.txt", "a");
  write("listed/b & <c>.txt", "b");
  write("listed/sub/inner.txt", "inner");
  write("squeezed/app.js", "the plain script, which is longer than the others");
  write("squeezed/app.js.gz", "as gzip");
  write("squeezed/app.js.br", "as brotli");
  write("squeezed/app.js.zst", "as zstd");
  write("squeezed/only.css", "plain style, longer than the other");
  write("squeezed/only.css.gz", "style as gzip");
  write("squeezed/stale.js", "a newer script than the other");
  write("squeezed/stale.js.gz", "an older script", kWritten - kDay);
  write("app/app.html", "<!doctype html><title>app</title>");
  write("app/real.txt", "real");
  write("pages/file.txt", "file");
  write("pages/errors/404.html", "<!doctype html><title>our own 404</title>");
  write("cached/file.txt", "cached");
  write("unlinked/file.txt", "file");
  link("unlinked/link.txt", "file.txt");
  write("visible/.dot.txt", "dot");
  write("hashed/file.txt", "hashed");
  write("typed/file.abc", "abc");
  write("typed/file.unknown", "unknown");
  write("caf\xc3\xa9 & \"more\"/inner.txt", "inner");
  write("folder/d \xc3\xa4?/inner.txt", "inner");
}

std::uint64_t Site::size(const std::string& path) const {
  if (path == kHuge) return kHugeSize;
  return contents_.at(path).size();
}

std::string Site::part(const std::string& path, std::uint64_t first, std::uint64_t last) const {
  if (path == kHuge) return std::string(last - first + 1, '\0');
  const std::string& content = contents_.at(path);
  return content.empty() ? content : content.substr(first, last - first + 1);
}

std::vector<std::string> sluice_mounts(const std::string& module) {
  std::vector<std::string> arguments;
  for (const char* rest :
       {"/=", "/listed/=:listing=on", "/squeezed/=:precompressed=on", "/app/=:fallback=app.html",
        "/pages/=:errors=errors", "/cached/=:cache_control=max-age=60", "/unlinked/=:links=off",
        "/visible/=:hidden=on", "/hashed/=:etag=hash", "/typed/=:types=abc=text/x-abc,default_type=text/plain",
        "/caf\xc3\xa9 & \"more\"/="}) {
    std::string mount(rest);
    mount.insert(mount.find('=') + 1, module);
    arguments.insert(arguments.end(), {"--mount", mount});
  }
  return arguments;
}

}  // namespace sluice::conformance
