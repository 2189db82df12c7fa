// Folders as pages and as JSON: which names are listed, in which order, and that no name can do harm.
#include "common/serving/folder_listing.h"

#include <sys/socket.h>
#include <sys/un.h>

#include <algorithm>
#include <catch2/catch.hpp>
#include <cerrno>
#include <vector>

#include "common/files/owned_fd.h"
#include "support/temp_folder.h"

using Catch::Matchers::Contains;
using Catch::Matchers::EndsWith;
using Catch::Matchers::StartsWith;
using sluice::files::Links;
using sluice::files::list_folder;
using sluice::files::Listing;
using sluice::files::listing_order;
using sluice::files::listing_type;
using sluice::files::ListingFormat;
using sluice::files::ListingKey;
using sluice::files::ListingOrder;
using sluice::files::ListingPlan;
using sluice::files::MemoryBudget;
using sluice::files::OwnedFd;
using sluice::test::TempFolder;

namespace {

struct Site {
  TempFolder folder;
  OwnedFd root{open(folder.path.c_str(), O_RDONLY | O_DIRECTORY | O_CLOEXEC)};
  ListingPlan plan;

  Site() {
    plan.root = root.get();
    plan.shown_path = "/m/";
    plan.memory = std::make_shared<MemoryBudget>(64 << 20);
  }
  void make_folder(const std::string& name) const { REQUIRE(mkdir((folder / name).c_str(), 0755) == 0); }
  void link(const char* target, const std::string& name) const {
    REQUIRE(symlink(target, (folder / name).c_str()) == 0);
  }
  void date(const std::string& name, std::time_t seconds) const {
    const timespec times[2] = {{seconds, 0}, {seconds, 0}};
    REQUIRE(utimensat(AT_FDCWD, (folder / name).c_str(), times, AT_SYMLINK_NOFOLLOW) == 0);
  }
  std::string html() const {
    const Listing made = list_folder(plan);
    CHECK(made.error == 0);
    return made.content.str();
  }
  std::string json() const {
    ListingPlan other = plan;
    other.format = ListingFormat::json;
    const Listing made = list_folder(other);
    CHECK(made.error == 0);
    return made.content.str();
  }
  // The names in order, as the page links to them: "a/" is a folder.
  std::string links() const {
    const std::string page = html();
    std::string all;
    constexpr std::string_view kRow = "<tr><td><a href=\"";
    for (std::size_t at = page.find(kRow); at != std::string::npos; at = page.find(kRow, at)) {
      at += kRow.size();
      all.append(all.empty() ? "" : " ").append(page, at, page.find('"', at) - at);
    }
    return all;
  }
};

constexpr std::time_t kLeapDay = 1'709'210'096;  // 2024-02-29 12:34:56

}  // namespace

TEST_CASE_METHOD(Site, "a page shows name, size and date", "[folder_listing]") {
  folder.write("a.txt", std::string(1536, 'x'));
  make_folder("dir");
  date("a.txt", kLeapDay);
  date("dir", 0);
  const std::string page = html();
  CHECK_THAT(page, StartsWith("<!doctype html>") && EndsWith("</html>\n"));
  CHECK_THAT(page, Contains("<title>Index of /m/</title>"));
  CHECK_THAT(page, Contains("<meta name=\"viewport\"") && Contains("color-scheme:light dark"));
  CHECK_THAT(page,
             Contains("<tr><td><a href=\"a.txt\">a.txt</a></td>"
                      "<td class=\"n\" title=\"1536 bytes\">1.5 KiB</td>"
                      "<td class=\"n\"><time datetime=\"2024-02-29T12:34:56Z\">2024-02-29<span> 12:34</span>"
                      "</time></td></tr>"));
  CHECK_THAT(page, Contains("<tr><td><a href=\"dir/\">dir/</a></td><td class=\"n\"></td>"
                            "<td class=\"n\"><time datetime=\"1970-01-01T00:00:00Z\">"));
  CHECK_THAT(page, Contains("<p>1 folder, 1 file</p>"));
  // The page loads and runs nothing.
  for (const char* foreign : {"http:", "https:", "//", "<script", "<img", "<link", "src=\""}) {
    CAPTURE(foreign);
    CHECK_THAT(page, !Contains(foreign));
  }
  CHECK(listing_type(ListingFormat::html) == "text/html; charset=utf-8");
}

TEST_CASE_METHOD(Site, "JSON is an array of objects", "[folder_listing]") {
  CHECK(json() == "[\n]\n");
  folder.write("a.txt", "hello");
  make_folder("dir");
  date("a.txt", kLeapDay);
  date("dir", -1);
  CHECK(json() ==
        "[\n{\"name\":\"dir\",\"type\":\"directory\",\"size\":null,\"mtime\":\"1969-12-31T23:59:59Z\"},"
        "\n{\"name\":\"a.txt\",\"type\":\"file\",\"size\":5,\"mtime\":\"2024-02-29T12:34:56Z\"}\n]\n");
  CHECK(listing_type(ListingFormat::json) == "application/json");
}

TEST_CASE_METHOD(Site, "names are escaped for their place", "[folder_listing]") {
  struct Case {
    const char* name;
    const char* html;
    const char* json;
  };
  const Case cases[] = {
      {"<script>alert(1)<\\script>",
       "\"%3Cscript%3Ealert(1)%3C%5Cscript%3E\">&lt;script&gt;alert(1)&lt;\\script&gt;</a>",
       "\"<script>alert(1)<\\\\script>\""},
      {"a\"b'c&d", "\"a%22b&#39;c&amp;d\">a&quot;b&#39;c&amp;d</a>", "\"a\\\"b'c&d\""},
      {"a  b", "\"a%20%20b\">a  b</a>", "\"a  b\""},
      {"javascript:x", "\"javascript%3Ax\">javascript:x</a>", "\"javascript:x\""},
      {"100%", "\"100%25\">100%</a>", "\"100%\""},
      {"a?b#c", "\"a%3Fb%23c\">a?b#c</a>", "\"a?b#c\""},
      {"&lt;", "\"&amp;lt;\">&amp;lt;</a>", "\"&lt;\""},
      {"\xC3\xA4\xE2\x82\xAC\xF0\x9F\x98\x80",
       "\"%C3%A4%E2%82%AC%F0%9F%98%80\">\xC3\xA4\xE2\x82\xAC\xF0\x9F\x98\x80</a>",
       "\"\xC3\xA4\xE2\x82\xAC\xF0\x9F\x98\x80\""},
      {"a\nb\x01\x7f",
       "\"a%0Ab%01%7F\">a\xEF\xBF\xBD"
       "b\xEF\xBF\xBD\xEF\xBF\xBD</a>",
       "\"a\\u000ab\\u0001\\u007f\""},
      // not UTF-8: a lone byte, one cut off, overlong, a surrogate, beyond U+10FFFF
      {"a\xFF"
       "b",
       "\"a%FFb\">a\xEF\xBF\xBD"
       "b</a>",
       "\"a\\ufffdb\""},
      {"\xE2\x82", "\"%E2%82\">\xEF\xBF\xBD\xEF\xBF\xBD</a>", "\"\\ufffd\\ufffd\""},
      {"\xC3<", "\"%C3%3C\">\xEF\xBF\xBD&lt;</a>", "\"\\ufffd<\""},
      {"\xC0\xAF", ">\xEF\xBF\xBD\xEF\xBF\xBD</a>", "\"\\ufffd\\ufffd\""},
      {"\xE0\x9F\xBF", ">\xEF\xBF\xBD\xEF\xBF\xBD\xEF\xBF\xBD</a>", "\"\\ufffd\\ufffd\\ufffd\""},
      {"\xED\xA0\x80", ">\xEF\xBF\xBD\xEF\xBF\xBD\xEF\xBF\xBD</a>", "\"\\ufffd\\ufffd\\ufffd\""},
      {"\xF4\x90\x80\x80", ">\xEF\xBF\xBD\xEF\xBF\xBD\xEF\xBF\xBD\xEF\xBF\xBD</a>",
       "\"\\ufffd\\ufffd\\ufffd\\ufffd\""},
      {"\xED\x9F\xBF\xF4\x8F\xBF\xBF", ">\xED\x9F\xBF\xF4\x8F\xBF\xBF</a>", "\"\xED\x9F\xBF\xF4\x8F\xBF\xBF\""},
  };
  for (const Case& expected : cases) {
    CAPTURE(expected.name);
    folder.write(expected.name, "");
    CHECK_THAT(html(), Contains(expected.html));
    CHECK_THAT(json(), Contains(std::string("\n{\"name\":") + expected.json + ",\"type\""));
    REQUIRE(unlink((folder / expected.name).c_str()) == 0);
  }
  plan.shown_path = "/m/<b>\xFF/";
  CHECK_THAT(html(), Contains("<title>Index of /m/&lt;b&gt;\xEF\xBF\xBD/</title>") && !Contains("<b>"));
}

TEST_CASE("the query gives the order; unknown values are ignored", "[folder_listing]") {
  struct Case {
    const char* query;
    ListingOrder order;
  };
  const Case cases[] = {
      {"", {ListingKey::name, false}},
      {"sort=name", {ListingKey::name, false}},
      {"order=desc", {ListingKey::name, true}},
      {"sort=size", {ListingKey::size, false}},
      {"sort=size&order=desc", {ListingKey::size, true}},
      {"order=asc&sort=date", {ListingKey::date, false}},
      {"x=y&sort=date&&order=desc&z", {ListingKey::date, true}},
      {"sort=colour&order=up", {ListingKey::name, false}},
      {"sort=sizes&asort=size&SORT=size", {ListingKey::name, false}},
      {"sort=size&sort=date", {ListingKey::date, false}},
  };
  for (const Case& expected : cases) {
    CAPTURE(expected.query);
    CHECK((listing_order(expected.query) == expected.order));
  }
}

TEST_CASE_METHOD(Site, "folders come first, in each order", "[folder_listing]") {
  folder.write("b", "333");
  folder.write("A", "1");
  folder.write("c", "22");
  folder.write("a", "22");
  make_folder("Y");
  make_folder("z");
  const char* dated[] = {"A", "z", "a", "b", "Y", "c"};
  for (std::size_t i = 0; i < std::size(dated); ++i) date(dated[i], kLeapDay + static_cast<std::time_t>(i));
  const std::pair<const char*, const char*> orders[] = {
      {"sort=name", "Y/ z/ A a b c"}, {"order=desc", "z/ Y/ c b a A"},
      {"sort=size", "Y/ z/ A a c b"}, {"sort=size&order=desc", "Y/ z/ b a c A"},
      {"sort=date", "z/ Y/ A a b c"}, {"sort=date&order=desc", "Y/ z/ c b a A"},
  };
  for (const auto& [query, expected] : orders) {
    CAPTURE(query);
    plan.order = listing_order(query);
    CHECK(links() == expected);
  }
}

TEST_CASE_METHOD(Site, "numbers in names are in the order of their values", "[folder_listing]") {
  for (const char* name :
       {"10.txt", "1.txt", "2.txt", "x9", "x10y2", "x10y1", "x010y1", "X1", "v1.10", "v1.9", "v1.9.1",
        "99999999999999999999999", "100000000000000000000000", "0", "00", "a1b", "a-1", "a"}) {
    folder.write(name, "");
  }
  CHECK(links() ==
        "0 00 1.txt 2.txt 10.txt 99999999999999999999999 100000000000000000000000 a a-1 a1b v1.9 v1.9.1 v1.10 "
        "X1 x9 "
        "x010y1 x10y1 x10y2");
  CHECK_THAT(json(), Contains("\"2.txt\"") && Contains("\"10.txt\""));
  CHECK(json().find("\"2.txt\"") < json().find("\"10.txt\""));
}

TEST_CASE_METHOD(Site, "a mirror finds each listing once, and people can sort", "[folder_listing]") {
  make_folder("dir");
  plan.at_top = false;
  const auto button = [](const char* key, const char* order) {
    return std::string("<form><input type=\"hidden\" name=\"sort\" value=\"") + key +
           "\"><button name=\"order\" value=\"" + order + "\">";
  };
  for (const ListingOrder order : {ListingOrder{}, ListingOrder{ListingKey::size, true}}) {
    plan.order = order;
    CHECK(links() == "../ dir/");
    // There is no link to a folder in another order, and no form that names one.
    CHECK_THAT(html(),
               !Contains("href=\"?") && !Contains("href=\"./") && !Contains("/?") && !Contains("action="));
  }
  CHECK_THAT(html(),
             Contains("<th>" + button("name", "asc") + "Name<") &&
                 Contains("<th class=\"n\" aria-sort=\"descending\">" + button("size", "asc") + "Size ") &&
                 Contains(button("date", "desc") + "Modified<"));
  plan.order = {};
  CHECK_THAT(html(), Contains("<th aria-sort=\"ascending\">" + button("name", "desc") + "Name ") &&
                         Contains("<th class=\"n\">" + button("size", "desc") + "Size<"));
  CHECK_THAT(html(), Contains("form-action 'self'"));
}

TEST_CASE_METHOD(Site, "hidden names are listed only when asked for", "[folder_listing]") {
  folder.write(".secret", "");
  make_folder(".git");
  folder.write("a", "");
  CHECK(links() == "a");
  plan.hidden = true;
  CHECK(links() == ".git/ .secret a");
}

TEST_CASE_METHOD(Site, "links are listed as what they lead to, if that is beneath the root",
                 "[folder_listing]") {
  const TempFolder outside;
  outside.write("x", "outside");
  make_folder("sub");
  make_folder("sub/dir");
  folder.write("top.txt", "four");
  link("../top.txt", "sub/file");
  link("dir", "sub/folder");
  link("..", "sub/up");
  link("missing", "sub/broken");
  link("loop", "sub/loop");
  link("../../etc", "sub/out");
  link("/etc/passwd", "sub/absolute");
  link(outside.path.c_str(), "sub/elsewhere");
  link("/proc/self/fd/0", "sub/magic");
  for (const char* path : {"sub/", "sub"}) {
    CAPTURE(path);
    plan.path = path;
    CHECK(links() == "dir/ folder/ up/ file");
    CHECK_THAT(json(), Contains("{\"name\":\"file\",\"type\":\"file\",\"size\":4,"));
  }
}

TEST_CASE_METHOD(Site, "if links are refused, none is listed or followed", "[folder_listing]") {
  make_folder("dir");
  folder.write("dir/file", "");
  link("file", "dir/link");
  link("dir", "other");
  plan.path = "other/";
  CHECK(links() == "file link");
  plan.links = Links::refused;
  CHECK(list_folder(plan).error == ELOOP);
  plan.path = "dir/";
  CHECK(links() == "file");
}

TEST_CASE_METHOD(Site, "names that are not served are not listed", "[folder_listing]") {
  REQUIRE(mkfifo((folder / "fifo").c_str(), 0644) == 0);
  link("fifo", "to-fifo");
  const OwnedFd made(socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0));
  sockaddr_un address{};
  address.sun_family = AF_UNIX;
  (folder / "socket").copy(address.sun_path, sizeof(address.sun_path) - 1);
  REQUIRE(bind(made.get(), reinterpret_cast<sockaddr*>(&address), sizeof(address)) == 0);
  CHECK(links().empty());
  CHECK_THAT(html(), Contains("<p>0 folders, 0 files</p>"));
}

TEST_CASE_METHOD(Site, "anything but a folder beneath the root is an error", "[folder_listing]") {
  const TempFolder outside;
  folder.write("file", "");
  link(outside.path.c_str(), "out");
  const std::pair<const char*, int> errors[] = {
      {"missing/", ENOENT}, {"file", ENOTDIR}, {"out/", EXDEV}, {"../", EXDEV}, {"/etc", EXDEV},
  };
  for (const auto& [path, error] : errors) {
    CAPTURE(path);
    plan.path = path;
    const Listing made = list_folder(plan);
    CHECK(made.error == error);
    CHECK(made.content.size() == 0);
  }
}

TEST_CASE_METHOD(Site, "the listing of a large folder is cut, and says so", "[folder_listing]") {
  for (int i = 0; i < 20; ++i) folder.write("file" + std::to_string(i), "");
  constexpr const char* kSaid = "Not all entries are shown";
  const auto cut_with = [&](std::size_t entries_max, std::size_t content_size_max, ListingFormat format) {
    plan.entries_max = entries_max;
    plan.content_size_max = content_size_max;
    plan.format = format;
    const Listing made = list_folder(plan);
    const bool page = format == ListingFormat::html;
    const std::string content = made.content.str();
    CHECK((content.find(kSaid) != std::string::npos) == (page && made.cut));
    CHECK_THAT(content, EndsWith(page ? "</html>\n" : "}\n]\n"));
    const std::string row = page ? "<tr><td>" : "{\"name\":";
    std::size_t rows = 0;
    for (auto at = content.find(row); at != std::string::npos; at = content.find(row, at + 1)) ++rows;
    CHECK(made.cut == (rows < 20));
    return rows;
  };
  for (const ListingFormat format : {ListingFormat::html, ListingFormat::json}) {
    CHECK(cut_with(20, 1 << 20, format) == 20);
    CHECK(cut_with(19, 1 << 20, format) == 19);
    CHECK(cut_with(1, 1 << 20, format) == 1);
    const std::size_t rows = cut_with(20, format == ListingFormat::html ? 4500 : 500, format);
    CHECK(rows > 1);
    CHECK(rows < 20);
  }
}

TEST_CASE_METHOD(Site, "sizes are short, and exact when pointed at", "[folder_listing]") {
  const std::pair<std::uint64_t, const char*> sizes[] = {
      {0, "0 B"},
      {1, "1 B"},
      {1023, "1023 B"},
      {1024, "1.0 KiB"},
      {1075, "1.0 KiB"},
      {1076, "1.1 KiB"},
      {10 * 1024 - 60, "9.9 KiB"},
      {10 * 1024 - 10, "10 KiB"},
      {1023 * 1024, "1023 KiB"},
      {1024 * 1024 - 1, "1.0 MiB"},
      {std::uint64_t{5} << 30, "5.0 GiB"},
      {(std::uint64_t{3} << 40) + (std::uint64_t{1} << 39), "3.5 TiB"},
  };
  for (const auto& [size, shown] : sizes) {
    CAPTURE(size);
    folder.write("x", "");
    if (truncate((folder / "x").c_str(), static_cast<off_t>(size)) != 0) {
      WARN("this file system has no files of " << size << " bytes");
      continue;
    }
    CHECK_THAT(html(), Contains("title=\"" + std::to_string(size) + " bytes\">" + shown + "<"));
  }
}
