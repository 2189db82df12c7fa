#include "status/page.h"

namespace sluice::status {

// Texts of the server are only ever put into text nodes, so none of them becomes markup.
const std::string_view kPageScript = R"js("use strict";
const kKept = 61;  // a minute, and the moment before it
const past = [];   // of {at, status}
let paused = false;
const by = id => document.getElementById(id);
const kSvg = "http://www.w3.org/2000/svg";

// Numbers as people read them.
const digits = n => n >= 100 ? Math.round(n) : n >= 10 ? Math.round(n * 10) / 10 : Math.round(n * 100) / 100;
const grouped = n => Math.round(n).toLocaleString("en").replaceAll(",", "\u202f");
const few = n => n >= 10000 ? grouped(n) : String(digits(n));
function scaled(n, units, base) {
  let i = 0;
  for (; n >= base && i + 1 < units.length; ++i) n /= base;
  return digits(n) + "\u00a0" + units[i];
}
const bytes = n => scaled(n, ["B", "KiB", "MiB", "GiB", "TiB"], 1024);
function time(s) {
  if (s < 0.001) return digits(s * 1e6) + "\u00a0\u00b5s";
  if (s < 1) return digits(s * 1e3) + "\u00a0ms";
  return digits(s) + "\u00a0s";
}
function span(s) {
  const units = [[86400, "d"], [3600, "h"], [60, "min"], [1, "s"]];
  const first = units.findIndex(unit => s >= unit[0]);
  if (first < 0) return "0\u00a0s";
  const [size, name] = units[first];
  let text = Math.floor(s / size) + "\u00a0" + name;
  if (first < 2) text += " " + Math.floor(s % size / units[first + 1][0]) + "\u00a0" + units[first + 1][1];
  return text;
}
const sum = counts => Object.values(counts).reduce((a, b) => a + b, 0);

// What has changed since `before`, which may lack what is new. Values of a process that began since are whole.
const grown = (now, before) => before === undefined || now < before ? now : now - before;

// The time below which this part of the answers is, from buckets that are not added up; null for none.
function quantile(now, before, part) {
  const was = new Map((before ? before.buckets : []).map(([le, n]) => [le, n]));
  const news = now.buckets.map(([le, n]) => [le, grown(n, was.get(le))]);
  const all = news.reduce((a, bucket) => a + bucket[1], 0);
  let seen = 0;
  for (const [le, n] of news) {
    seen += n;
    if (n > 0 && seen >= all * part) return le === null ? Infinity : le;
  }
  return null;
}
const quantileText = s => s === null ? "\u2013" : s === Infinity ? "more than 4\u00a0s"
    : s <= 1e-6 ? "one turn" : "\u2264\u00a0" + time(s);

// Puts `text` there, if it is not there already: what a reader has selected stays.
function put(element, text, kind) {
  text = String(text);
  if (element.textContent !== text) element.textContent = text;
  if (kind !== undefined && element.className !== kind) element.className = kind;
}

// A cell is a text, or [text, class]. The first of a row names it.
function table(id, caption, columns, rows, without) {
  const element = by(id);
  if (!element.tHead) {
    element.createCaption().textContent = caption;
    const head = element.createTHead().insertRow();
    for (const column of columns) {
      const cell = document.createElement("th");
      cell.scope = "col";
      cell.textContent = column.replace("#", "");
      if (column.startsWith("#")) cell.className = "number";
      head.append(cell);
    }
    element.createTBody();
  }
  const body = element.tBodies[0];
  if (rows.length === 0) rows = [[[without, "empty"]]];
  while (body.rows.length > rows.length) body.deleteRow(-1);
  rows.forEach((row, i) => {
    const line = body.rows[i] || body.insertRow();
    while (line.cells.length > row.length) line.deleteCell(-1);
    row.forEach((cell, j) => {
      let place = line.cells[j];
      if (!place) {
        place = document.createElement(j === 0 ? "th" : "td");
        if (j === 0) place.scope = "row";
        line.append(place);
      }
      place.colSpan = row.length === 1 ? columns.length : 1;
      const [text, kind] = Array.isArray(cell) ? cell : [cell, ""];
      put(place, text, (columns[j].startsWith("#") && row.length > 1 ? "number " : "") + kind);
    });
  });
}

function tile(name, value, note, points) {
  let element = by("tile-" + name);
  if (!element) {
    element = document.createElement("li");
    element.className = "tile";
    element.id = "tile-" + name;
    for (const part of ["name", "value", "note"]) {
      const line = document.createElement("span");
      line.className = part;
      element.append(line);
    }
    const spark = document.createElementNS(kSvg, "svg");
    spark.setAttribute("class", "spark");
    spark.setAttribute("viewBox", "0 0 60 20");
    spark.setAttribute("preserveAspectRatio", "none");
    spark.setAttribute("aria-hidden", "true");
    spark.append(document.createElementNS(kSvg, "polygon"), document.createElementNS(kSvg, "polyline"));
    element.append(spark);
    by("tiles").append(element);
  }
  put(element.children[0], name);
  put(element.children[1], value);
  put(element.children[2], note);
  const most = Math.max(...points, 1e-9);
  const from = 61 - points.length;
  const line = points.map((n, i) => (from + i) + "," + (19 - 17 * n / most).toFixed(2)).join(" ");
  const [area, curve] = element.children[3].children;
  curve.setAttribute("points", line);
  area.setAttribute("points", points.length < 2 ? "" : from + ",20 " + line + " 60,20");
}

// What `of` says, a second, between each two statuses that were kept.
function rates(of) {
  const points = [];
  for (let i = 1; i < past.length; ++i) {
    const spent = past[i].up_seconds - past[i - 1].up_seconds;
    points.push(spent > 0 ? grown(of(past[i]), of(past[i - 1])) / spent : 0);
  }
  return points;
}
const last = points => points.length === 0 ? 0 : points[points.length - 1];
)js"
                                     R"js(
function showTiles(s) {
  const requests = rates(s => s.counters.requests);
  const sent = rates(s => s.counters.sent_bytes);
  const open = past.map(s => s.counters.connections_open);
  const turn = past.map((s, i) => {
    const worst = quantile(s.counters.turns, i > 0 ? past[i - 1].counters.turns : undefined, 1);
    return worst === null ? 0 : worst === Infinity ? 8 : worst;
  }).slice(1);
  tile("Requests a second", few(last(requests)), grouped(s.counters.requests) + " in all", requests);
  tile("Open connections", grouped(s.counters.connections_open),
       grouped(s.counters.connections_accepted) + " accepted in all", open);
  tile("Sent a second", bytes(last(sent)), bytes(s.counters.sent_bytes) + " in all", sent);
  tile("Longest turn of the last second", turn.length === 0 ? "\u2013" : quantileText(last(turn)),
       time(s.counters.turns.longest_seconds) + " since the start", turn);
}

function showWorkers(s) {
  const c = s.counters;
  put(by("calls"), "Calls that may block, as of a disk: " + grouped(c.offload_running) + " on threads now, and " +
      grouped(c.offload_queued) + " waiting for a thread.");
  const before = past.length > 1 ? past[past.length - 2] : undefined;
  table("workers", "Workers: what each process does", ["Worker", "#Process", "State", "#Running for",
        "#Connections", "#Requests a second", "#Sent a second", "#On threads", "#Longest turn", "Confined"],
        s.workers.map(w => {
          const was = before && before.workers.find(other => other.process === w.process);
          const spent = was ? w.up_seconds - was.up_seconds : w.up_seconds;
          const rate = name => spent > 0 ? grown(w[name], was && was[name]) / spent : 0;
          return [w.worker, w.process, [w.state, w.state === "serving" ? "good" : "warn"], span(w.up_seconds),
                  grouped(w.connections_open), few(rate("requests")), bytes(rate("sent_bytes")),
                  w.offload_running + (w.offload_queued > 0 ? " + " + w.offload_queued + " waiting" : ""),
                  [time(w.turns.longest_seconds), w.turns.longest_seconds >= 0.1 ? "warn" : ""],
                  [(w.confined.join(", ") || "no") + (w.granted ? ", but for " + w.granted : ""), "words"]];
        }), "No worker lives.");
}

function showWaits(s) {
  const kinds = [["keepalive", "The next request"], ["handler", "The handler of a module"],
                 ["send", "The client, to take its answer"], ["head", "A handshake, or the head of a request"],
                 ["body", "The body of a request"], ["tunnel", "Traffic of an upgraded connection"],
                 ["linger", "The client, to end the connection"]];
  table("waits", "What connections wait for", ["Connections wait for", "#Now", "#Most in the last minute"],
        kinds.map(([kind, name]) => [name, grouped(s.counters.waits[kind]),
                                     grouped(Math.max(...past.map(p => p.counters.waits[kind])))]), "");
}

function showModules(s) {
  const old = past[0];
  const spent = s.up_seconds - old.up_seconds;
  table("modules", "Modules: their generations, and how long their answers take", ["Module", "#Generation",
        "State", "#Answers a second", "#Median", "#99 of 100", "#Longest", "#Holds", "File"],
        s.modules.map(m => {
          const was = old.modules.find(other => other.module === m.module);
          const state = [m.state, m.state === "serving" ? "good" : m.state === "left out" ? "" : "bad"];
          const name = m.module || m.file;
          if (!m.answers) return [name, m.generation, state, "\u2013", "\u2013", "\u2013", "\u2013", "\u2013", m.file];
          const before = was && was.answers;
          const count = past.length > 1 ? grown(m.answers.count, before && before.count) / spent : 0;
          const since = past.length > 1 ? before : undefined;
          return [name, m.generation, state, few(count), quantileText(quantile(m.answers, since, 0.5)),
                  quantileText(quantile(m.answers, since, 0.99)),
                  quantileText(m.answers.count > 0 ? m.answers.longest_seconds : null).replace("\u2264\u00a0", ""),
                  m.holds, m.file];
        }), "No module is loaded.");
}

function showSites(s) {
  const all = s.sites.length > 0 ? s.sites : [{site: "all requests", answers: s.counters.answers,
                                               sent_bytes: s.counters.sent_bytes}];
  const old = past.length > 1 ? past[past.length - 2] : undefined;
  table("sites", "Sites: answers by the class of their status", ["Site", "#A second", "#2xx", "#3xx", "#4xx", "#5xx",
        "#Sent"], all.map(site => {
          const was = old && (old.sites.find(other => other.site === site.site) ||
                              (s.sites.length === 0 ? old.counters : undefined));
          const rate = was ? grown(sum(site.answers), sum(was.answers)) / (s.up_seconds - old.up_seconds) : 0;
          const a = site.answers;
          return [site.site, few(rate), grouped(a["2xx"]), grouped(a["3xx"]), grouped(a["4xx"]),
                  [grouped(a["5xx"]), a["5xx"] > 0 ? "bad" : ""], bytes(site.sent_bytes)];
        }), "");
}

function showErrors(s) {
  const kinds = [
    ["Answers 5xx", c => c.answers["5xx"]], ["Answers 4xx", c => c.answers["4xx"]],
    ["Faults of modules", c => c.module_faults], ["TLS handshakes failed", c => c.tls_handshakes_failed],
    ["Connections that had to wait for room", c => c.connections_refused],
    ["Idle connections closed for room", c => c.connections_gave_way],
    ["Refused to clients that had too much at once",
     c => Object.values(c.clients_refused).reduce((sum, count) => sum + count, 0)],
    ["HTTP/2 clients that cost too much", c => c.http2_floods],
    ["Lines of the access log lost", c => c.access_log_dropped],
  ];
  table("errors", "Errors: in the last minute, and since the start", ["Error", "#Last minute", "#Since the start"],
        kinds.map(([name, of]) => {
          const recent = grown(of(s.counters), of(past[0].counters));
          return [name, [grouped(recent), recent > 0 ? "warn" : ""], grouped(of(s.counters))];
        }), "");
}

function showRest(s) {
  const moment = seconds => new Date(seconds * 1000).toISOString().replace("T", " ").slice(0, 19) + " UTC";
  table("mounts", "Mounts: which module answers where", ["Mount", "Site", "Module", "#Generation", "State"],
        s.mounts.map(m => [m.mount + (m.address ? " at " + m.address : ""), m.site,
                           m.module + (m.filter ? ", a filter" : ""), m.generation,
                           [m.state, m.state === "serving" ? "good" : "bad"]]), "Nothing is mounted.");
  const bad = new Set(["refused", "switched off", "goes back"]);
  table("history", "What has happened to the modules, the latest first", ["Time", "Module", "#Generation", "Event",
        "Reason"], [...s.module_events].reverse().map(e => [moment(e.time), e.module, e.generation || "\u2013",
        [e.event, bad.has(e.event) ? "bad" : ""], [e.reason, "wide"]]),
        "Nothing since the server started.");
  table("certificates", "Certificates, and when they end", ["Certificate", "Names", "#Days left", "Ends"],
        s.certificates.map(c => [c.file, [c.names.join(", "), "wide"],
                                 [c.days_left, c.days_left < 14 ? "bad" : c.days_left < 30 ? "warn" : "good"],
                                 moment(c.not_after)]), "No address speaks TLS.");
}

function show(s) {
  if (past.length > 0 && s.process !== past[0].process) past.length = 0;
  past.push(s);
  if (past.length > kKept) past.shift();
  if (paused) return;
  const off = s.modules.filter(m => m.state === "switched off").length;
  const text = s.state + (off > 0 ? ", " + off + (off === 1 ? " module is" : " modules are") + " switched off" : "");
  put(by("state"), text, "state " + (s.state !== "ready" || off > 0 ? "warn" : "good"));
  put(by("facts"), "process " + s.process + ", running for " + span(s.up_seconds) + ", listening at " +
      s.listening.map(url => url.trim()).join(", "));
  showTiles(s);
  showWorkers(s);
  showWaits(s);
  showModules(s);
  showSites(s);
  showErrors(s);
  showRest(s);
}

function connect() {
  const source = new EventSource("events");
  source.onmessage = event => show(JSON.parse(event.data));
  source.onerror = () => {
    put(by("state"), "not connected: trying again", "state bad");
    if (source.readyState !== EventSource.CLOSED) return;  // it tries by itself
    setTimeout(connect, 2000);
  };
}
by("pause").onclick = () => {
  paused = !paused;
  by("pause").setAttribute("aria-pressed", paused);
  if (!paused && past.length > 0) show(past.pop());
};
connect();
)js";

}  // namespace sluice::status
