// From a target to a file, and never to one outside the root: RFC 3986 sections 2 and 6, RFC 9110 section 17.
#include "conformance/tables/tables.h"

namespace sluice::conformance {
namespace {

using enum Level;

constexpr std::string_view kNever = " | !has root:";

// Whatever the answer is, it holds nothing of /etc/passwd nor of what lies beside the root.
Case outside(const char* name, std::string_view target, const std::string& statuses = "400,404") {
  return {must, "9110 17.3", name, get(target), statuses + std::string(kNever) + " | !has outside"};
}

}  // namespace

std::vector<Case> path_cases() {
  return {
      // Encodings.
      {must, "3986 2.1", "an encoded letter", get("/t%65n.txt"), "200 | of /ten.txt"},
      {must, "3986 2.1", "an encoded dot", get("/ten%2etxt"), "200 | of /ten.txt"},
      {must, "3986 2.1", "digits of both cases", get("/ten%2Etx%74"), "200 | of /ten.txt"},
      {must, "3986 2.1", "an encoded space", get("/with%20space.txt"), "200 | of /with space.txt"},
      {must, "3986 2.1", "a plus sign is itself", get("/plus+sign.txt"), "200 | of /plus+sign.txt"},
      {must, "3986 2.1", "a plus sign is no space", get("/with+space.txt"), "404"},
      {must, "3986 2.1", "an encoded plus sign", get("/plus%2Bsign.txt"), "200 | of /plus+sign.txt"},
      {must, "3986 2.1", "an encoded percent sign", get("/per%25cent.txt"), "200 | of /per%cent.txt"},
      {must, "3986 2.4", "decoded once, not twice", get("/%252e%252e.txt"), "200 | of /%2e%2e.txt"},
      {must, "3986 2.4", "decoded once: no space out of %2520", get("/with%2520space.txt"), "404"},
      {must, "3986 2.1", "UTF-8", get("/caf%C3%A9.txt"), "200 | of /caf\xc3\xa9.txt"},
      {ours, "3986 2.1", "names are bytes", get("/%FF.txt"), "200 | of /\xff.txt"},
      {must, "3986 2.1", "an encoded question mark is no query", get("/ques%3Ftion.txt"),
       "200 | of /ques?tion.txt"},
      {must, "3986 2.1", "an encoded hash is no fragment", get("/ha%23sh.txt"), "200 | of /ha#sh.txt"},
      {must, "3986 2.1", "an encoded quote", get("/dou%22ble.txt"), "200 | of /dou\"ble.txt"},
      {must, "3986 2.1", "encoded angle brackets", get("/%3Cangle%3E.txt"), "200 | of /<angle>.txt"},
      {must, "3986 2.2", "a semicolon", get("/semi;colon.txt"), "200 | of /semi;colon.txt"},
      {must, "3986 2.2", "a colon", get("/col:on.txt"), "200 | of /col:on.txt"},
      {must, "3986 2.2", "ampersand and equals sign", get("/amp&eq=.txt"), "200 | of /amp&eq=.txt"},
      {must, "3986 2.2", "a single quote", get("/quo'te.txt"), "200 | of /quo'te.txt"},
      {must, "3986 2.3", "a tilde", get("/til~de.txt"), "200 | of /til~de.txt"},
      {must, "3986 2.3", "an encoded tilde", get("/til%7Ede.txt"), "200 | of /til~de.txt"},
      {must, "3986 2.1", "a backslash is a byte of a name", get("/back%5Cslash.txt"),
       "200 | of /back\\slash.txt"},
      {must, "3986 6.2.2", "paths have a case", get("/upper.txt"), "404"},
      {ours, "3986 2.1", "half an encoding at the end", get("/ten.txt%"), "400"},
      {ours, "3986 2.1", "half an encoding of one digit", get("/ten.txt%2"), "400"},
      {ours, "3986 2.1", "no digits", get("/%zz"), "400"},
      {ours, "3986 2.1", "one digit and no other", get("/%2g"), "400"},
      {ours, "3986 2.1", "a sign for a digit", get("/%+2e"), "400"},
      {must, "9110 17.3", "an encoded NUL", get("/ten.txt%00"), "400,404 | !has 0123"},
      {must, "9110 17.3", "an encoded NUL before an extension", get("/ten.txt%00.html"), "400,404 | !has 0123"},
      {ours, "9110 17.3", "an encoded slash", get("/folder%2Finner.txt"), "400,404"},
      {must, "9110 17.3", "an overlong dot", get("/%c0%ae%c0%ae/outside.txt"), "400,404"},
      {must, "9110 17.3", "an overlong slash", get("/folder%c0%afinner.txt"), "400,404"},
      {ours, "9110 17.3", "IIS's unicode", get("/%u002e%u002e/outside.txt"), "400"},
      {must, "3986 3.4", "a query is no part of the path", get("/ten.txt?a=b"), "200 | of /ten.txt"},
      {must, "3986 3.4", "an empty query", get("/ten.txt?"), "200 | of /ten.txt"},
      {must, "3986 3.4", "dots in a query", get("/ten.txt?/../../x"), "200 | of /ten.txt"},
      {ours, "3986 3.4", "a query may have a bad encoding", get("/ten.txt?%zz%00"), "200 | of /ten.txt"},
      {must, "3986 3.4", "two question marks", get("/ten.txt?a?b"), "200 | of /ten.txt"},
      // Dot segments.
      {must, "3986 6.2.2.3", "a dot", get("/./ten.txt"), "200 | of /ten.txt"},
      {must, "3986 6.2.2.3", "two dots", get("/folder/../ten.txt"), "200 | of /ten.txt"},
      {must, "3986 6.2.2.3", "two dots over what is not there", get("/nothing/../ten.txt"),
       "200 | of /ten.txt"},
      {must, "3986 6.2.2.3", "encoded dots", get("/folder/%2e%2E/ten.txt"), "200 | of /ten.txt"},
      {must, "3986 6.2.2.3", "a dot at the end", get("/folder/."), "200 | of /folder/index.html"},
      {must, "3986 6.2.2.3", "two dots at the end", get("/folder/deep/.."), "200 | of /folder/index.html"},
      {must, "3986 6.2.2.3", "three dots are a name", get("/..."), "200,404"},
      {must, "3986 6.2.2.3", "two dots and more are a name", get("/..two"), "200,404"},
      {ours, "3986 6.2.2.3", "several slashes are one", get("//folder///inner.txt"),
       "200 | of /folder/inner.txt"},
      {ours, "3986 6.2.2.3", "a slash behind a file", get("/ten.txt/"), "404"},
      {ours, "9110 17.3", "a path below a file", get("/ten.txt/more"), "404"},
      {must, "9110 17.3", "a path below a file, and up", get("/ten.txt/.."), "200,404"},
      outside("two dots at the root", "/../outside.txt"),
      outside("many of them", "/../../../../../../../../etc/passwd"),
      outside("encoded", "/%2e%2e/%2e%2e/etc/passwd"),
      outside("half encoded", "/.%2e/outside.txt"),
      outside("with encoded slashes", "/..%2foutside.txt"),
      outside("with backslashes", "/..\\outside.txt"),
      outside("with encoded backslashes", "/..%5c..%5coutside.txt"),
      outside("encoded twice", "/%252e%252e/outside.txt"),
      outside("behind a folder", "/folder/../../outside.txt"),
      outside("behind a folder that is not there", "/nothing/../../outside.txt"),
      outside("behind a dot", "/./../outside.txt"),
      outside("behind empty segments", "//..//outside.txt"),
      outside("with a semicolon", "/..;/outside.txt"),
      outside("in the absolute form", "http://test/../outside.txt"),
      outside("an absolute path", "//etc/passwd"),
      outside("a NUL in between", "/..%00/outside.txt"),
      // Links and what is no file.
      {must, "ours", "a link to a file", get("/link.txt"), "200 | of /ten.txt"},
      {must, "ours", "a link to a link", get("/chain.txt"), "200 | of /ten.txt"},
      {must, "ours", "a link that goes up and stays inside", get("/up.txt"), "200 | of /ten.txt"},
      {must, "ours", "a link to a folder", get("/linkfolder/inner.txt"), "200 | of /folder/inner.txt"},
      {ours, "ours", "a link out of the root", get("/out.txt"), "403,404 | !has outside"},
      {ours, "ours", "a link to the folder above the root", get("/outfolder/outside.txt"),
       "403,404 | !has outside"},
      {ours, "ours", "an absolute link", get("/absolute.txt"), "403,404 | !has root:"},
      {ours, "ours", "a link to itself", get("/loop.txt"), "403,404"},
      {ours, "ours", "a link to nothing", get("/dangling.txt"), "404"},
      {ours, "ours", "links=off: no link is followed", get("/unlinked/link.txt"), "403,404"},
      {must, "ours", "links=off: files go on", get("/unlinked/file.txt"), "200 | of /unlinked/file.txt"},
      {ours, "ours", "a FIFO holds nothing up", get("/pipe"), "403,404"},
      {ours, "ours", "a socket", get("/socket"), "403,404"},
      {must, "9110 15.5.4", "a file that may not be read", get("/secret.txt"), "403"},
      {must, "9110 15.5.4", "a folder that may not be entered", get("/locked/file.txt"), "403"},
      {must, "9110 15.5.5", "a file that is not there", get("/nothing"), "404"},
      {must, "9110 15.5.5", "below a folder that is not there", get("/nothing/at/all"), "404"},
      {must, "9110 15.5.5", "a name of 255 bytes", get("/" + std::string(255, 'n')), "200"},
      {must, "9110 15.5.5", "a name of 256 bytes is nobody's", get("/" + std::string(256, 'n')), "403,404,414"},
      {must, "9110 15.5.5", "a path of 5,000 bytes", get("/" + std::string(5'000, 'n')), "403,404,414"},
      {must, "9110 15.5.5", "a path of 2,000 segments",
       [] {
         std::string path;
         for (int i = 0; i < 2'000; ++i) path += "/n";
         return get(path);
       }(),
       "404,414"},
      {ours, "ours", "a hidden file", get("/.hidden"), "403,404"},
      {ours, "ours", "a hidden file below", get("/folder/.htpasswd"), "403,404"},
      {ours, "ours", "a hidden folder", get("/.folder/file.txt"), "403,404"},
      {ours, "ours", "an encoded dot hides, too", get("/%2ehidden"), "403,404"},
      {must, "ours", "hidden=on", get("/visible/.dot.txt"), "200 | of /visible/.dot.txt"},
      // Folders.
      {must, "9110 15.4.2", "a folder without its slash", get("/folder"), "301 | Location ~ /folder/"},
      {must, "9110 15.4.2", "it keeps the query", get("/folder?a=b"), "301 | Location ~ /folder/?a=b"},
      {ours, "9110 15.4.2", "it is encoded again", get("/folder/deep%2f"), "400,404"},
      {must, "9110 17.3", "no way to another host", get("//folder"), "200,301,404 | !Location: //folder/"},
      {must, "9110 17.3", "no line is split", get("/folder%0d%0aSet-Cookie:a"), "400,404 | !Set-Cookie"},
      {must, "3986 2.1", "a redirect to a folder with spaces and UTF-8", get("/folder/d%20%c3%a4%3F?a=%20"),
       "301 | Location ~ /folder/d%20%C3%A4%3F/?a=%20"},
      {must, "3986 2.1", "a redirect to a mount with spaces, quotes and UTF-8",
       get("/caf%C3%A9%20&%20%22more%22?b"), "301 | Location ~ /caf%C3%A9%20&%20%22more%22/?b | keeps"},
      {must, "3986 2.1", "a mount with spaces, quotes and UTF-8",
       get("/caf%c3%a9%20%26%20%22more%22/inner.txt"), "200 | of /caf\xc3\xa9 & \"more\"/inner.txt"},
      {ours, "9110 15.4.2", "a redirect with a long query", get("/folder?" + std::string(8'000, '"')),
       "301 | Location ~ /folder/?" + std::string(8'000, '"')},
      {ours, "9110 15.4.2", "a redirect to a mount with a long query",
       get("/listed?" + std::string(8'000, 'x')), "301 | Location ~ /listed/?" + std::string(8'000, 'x')},
      {must, "9110 17.3", "no line is split by a redirect", get("/folder?%0d%0aSet-Cookie:a"),
       "301 | !Set-Cookie"},
      {must, "ours", "an index file", get("/folder/"),
       "200 | of /folder/index.html | Content-Type ~ text/html"},
      {must, "ours", "the root's index file", get("/"), "200 | of /index.html"},
      {must, "ours", "a folder with neither index nor listing", get("/bare/"), "403,404"},
      {must, "ours", "a link to a folder without its slash", get("/linkfolder"),
       "301 | Location ~ /linkfolder/"},
      {must, "9110 17.7", "an error page tells nothing of the server's folders", get("/nothing"),
       "404 | !has /tmp"},
      {must, "9110 17.3", "an error page does not echo markup", get("/%3Cscript%3E"), "404 | !has <script>"},
  };
}

}  // namespace sluice::conformance
