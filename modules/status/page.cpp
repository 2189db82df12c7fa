#include "status/page.h"

#include <sys/random.h>

#include <array>
#include <cstdint>

namespace sluice::status {
namespace {

constexpr std::string_view kBeforeStyle = R"html(<!DOCTYPE html>
<html lang="en">
<head>
<meta charset="utf-8">
<meta name="viewport" content="width=device-width, initial-scale=1">
<meta name="robots" content="noindex">
<title>sluice: status</title>
<style nonce=")html";

constexpr std::string_view kBody = R"html(</style>
</head>
<body>
<a class="skip" href="#main">Skip to the figures</a>
<header>
  <h1>sluice</h1>
  <span class="state" id="state" role="status">connecting</span>
  <p id="facts"></p>
  <button id="pause" type="button" aria-pressed="false">Pause</button>
</header>
<main id="main">
  <noscript><p>This page needs JavaScript. The same is in <a href="status.json">status.json</a>.</p></noscript>
  <ul class="tiles" id="tiles"></ul>
  <section aria-labelledby="h-workers"><h2 id="h-workers">Workers</h2>
    <p id="calls"></p>
    <div class="scroll" role="region" aria-labelledby="h-workers" tabindex="0"><table id="workers"></table></div>
  </section>
  <div class="pair">
  <section aria-labelledby="h-waits"><h2 id="h-waits">Connections</h2>
    <p>Streams of HTTP/2 count each. What is at work in the present turn waits for nothing.</p>
    <div class="scroll" role="region" aria-labelledby="h-waits" tabindex="0"><table id="waits"></table></div>
  </section>
  <section aria-labelledby="h-errors"><h2 id="h-errors">Errors</h2>
    <p>A 4xx is most often the client's mistake.</p>
    <div class="scroll" role="region" aria-labelledby="h-errors" tabindex="0"><table id="errors"></table></div>
  </section>
  </div>
  <section aria-labelledby="h-modules"><h2 id="h-modules">Modules</h2>
    <p>Times are from a request's handling to its answer's last byte, over the last minute. Answers within one
    turn of the loop count as no time. A time is the upper end of the power of two that it falls into.</p>
    <div class="scroll" role="region" aria-labelledby="h-modules" tabindex="0"><table id="modules"></table></div>
  </section>
  <section aria-labelledby="h-sites"><h2 id="h-sites">Sites</h2>
    <p>The counters know times by module, not by site.</p>
    <div class="scroll" role="region" aria-labelledby="h-sites" tabindex="0"><table id="sites"></table></div>
  </section>
  <section aria-labelledby="h-mounts"><h2 id="h-mounts">Mounts</h2>
    <div class="scroll" role="region" aria-labelledby="h-mounts" tabindex="0"><table id="mounts"></table></div>
  </section>
  <section aria-labelledby="h-history"><h2 id="h-history">History of the modules</h2>
    <div class="scroll" role="region" aria-labelledby="h-history" tabindex="0"><table id="history"></table></div>
  </section>
  <section aria-labelledby="h-certificates"><h2 id="h-certificates">Certificates</h2>
    <div class="scroll" role="region" aria-labelledby="h-certificates" tabindex="0">
    <table id="certificates"></table></div>
  </section>
</main>
<footer><a href="metrics">metrics</a><a href="status.json">status.json</a><a href="health/ready">health/ready</a>
<a href="health/live">health/live</a></footer>
<script nonce=")html";

constexpr std::string_view kEnd = "</script>\n</body>\n</html>\n";

}  // namespace

std::string page_of(std::string_view nonce) {
  std::string page(kBeforeStyle);
  page.append(nonce).append("\">").append(kPageStyle).append(kBody);
  return page.append(nonce).append("\">").append(kPageScript).append(kEnd);
}

std::string page_policy(std::string_view nonce) {
  std::string policy = "default-src 'none'; connect-src 'self'; base-uri 'none'; form-action 'none'; ";
  policy.append("frame-ancestors 'none'; style-src 'nonce-").append(nonce);
  return policy.append("'; script-src 'nonce-").append(nonce).append("'");
}

std::string make_nonce() {
  constexpr std::string_view kHex = "0123456789abcdef";
  std::array<std::uint8_t, 16> random{};
  if (::getrandom(random.data(), random.size(), GRND_NONBLOCK) != static_cast<ssize_t>(random.size()))
    return {};
  std::string nonce;
  for (const std::uint8_t byte : random) nonce += {kHex[byte >> 4], kHex[byte & 15]};
  return nonce;
}

}  // namespace sluice::status
