#include "status/page.h"

namespace sluice::status {

const std::string_view kPageStyle = R"css(
:root {
  color-scheme: light dark;
  --ground: #f6f7f9; --sheet: #ffffff; --line: #e3e6eb; --text: #1c2430; --faint: #5b6675;
  --accent: #2563b8; --fill: #2563b81f; --good: #1a7f4b; --warn: #99600a; --bad: #b3261e;
  font: 15px/1.5 system-ui, -apple-system, "Segoe UI", Roboto, "Helvetica Neue", sans-serif;
}
@media (prefers-color-scheme: dark) {
  :root {
    --ground: #12161c; --sheet: #1a2029; --line: #2b3441; --text: #e4e9f0; --faint: #9aa7b8;
    --accent: #78aef5; --fill: #78aef526; --good: #5fc38e; --warn: #e0ac56; --bad: #f2867e;
  }
}
* { box-sizing: border-box; }
body { margin: 0; background: var(--ground); color: var(--text); }
.skip { position: absolute; left: -99em; }
.skip:focus { left: 1rem; top: .5rem; z-index: 1; background: var(--sheet); padding: .25rem .75rem; }
header, main, footer { max-width: 76rem; margin: 0 auto; padding: 0 1.5rem; }
header { display: flex; flex-wrap: wrap; align-items: center; gap: .5rem 1.25rem; padding-top: 1.75rem; }
h1 { font-size: 1.4rem; font-weight: 650; letter-spacing: -.01em; margin: 0; }
h2 { font-size: 1rem; font-weight: 650; margin: 0 0 .25rem; }
#facts { color: var(--faint); margin: 0; flex: 1 1 16rem; overflow-wrap: anywhere; }
.state { display: inline-flex; align-items: center; gap: .45em; font-weight: 600; color: var(--faint); }
.state::before { content: ""; width: .6em; height: .6em; border-radius: 50%; background: currentColor; }
.good { color: var(--good); } .warn { color: var(--warn); } .bad { color: var(--bad); }
button {
  font: inherit; color: inherit; background: var(--sheet); border: 1px solid var(--line);
  border-radius: .5rem; padding: .3rem .9rem; cursor: pointer;
}
button:hover { border-color: var(--accent); }
:focus-visible { outline: 2px solid var(--accent); outline-offset: 2px; }
.tiles {
  display: grid; grid-template-columns: repeat(auto-fit, minmax(13.5rem, 1fr)); gap: 1rem;
  margin: 1.5rem 0 0; padding: 0; list-style: none;
}
.tile, section {
  background: var(--sheet); border: 1px solid var(--line); border-radius: .75rem; overflow: hidden;
}
.tile { padding: .9rem 1.1rem 0; display: flex; flex-direction: column; }
.tile .name { color: var(--faint); font-size: .87rem; }
.tile .value { font-size: 1.65rem; font-weight: 600; line-height: 1.3; font-variant-numeric: tabular-nums; }
.tile .note { color: var(--faint); font-size: .8rem; min-height: 1.5em; margin-bottom: .35rem; }
.spark { display: block; margin: auto -1.1rem 0; width: calc(100% + 2.2rem); height: 2.6rem; }
.spark polyline { fill: none; stroke: var(--accent); stroke-width: 1.5; vector-effect: non-scaling-stroke; }
.spark polygon { fill: var(--fill); stroke: none; }
section { margin: 1.25rem 0 0; padding: 1.1rem 0 .5rem; }
section > h2, section > p { padding: 0 1.25rem; }
section > p { color: var(--faint); font-size: .87rem; margin: 0 0 .5rem; max-width: 52rem; }
.scroll { overflow-x: auto; }
table { border-collapse: collapse; width: 100%; font-size: .92rem; font-variant-numeric: tabular-nums; }
caption { position: absolute; clip-path: inset(50%); width: 1px; height: 1px; overflow: hidden; }
th, td { vertical-align: top; text-align: left; padding: .42rem .7rem; white-space: nowrap; }
th:first-child, td:first-child { padding-left: 1.25rem; }
th:last-child, td:last-child { padding-right: 1.25rem; }
thead th { color: var(--faint); font-weight: 500; font-size: .82rem; border-bottom: 1px solid var(--line); }
tbody th { font-weight: 600; white-space: normal; }
tbody tr + tr > * { border-top: 1px solid var(--line); }
.number { text-align: right; }
.wide { white-space: normal; min-width: 16rem; overflow-wrap: anywhere; }
.words { white-space: normal; min-width: 12rem; }
tbody .empty { color: var(--faint); font-weight: 400; }
.pair { display: grid; align-items: start; grid-template-columns: repeat(auto-fit, minmax(min(100%, 30rem), 1fr)); gap: 0 1.25rem; }
.pair > section { min-width: 0; }
footer { color: var(--faint); font-size: .87rem; padding-top: 1.5rem; padding-bottom: 2.5rem; }
footer { display: flex; flex-wrap: wrap; gap: .25rem 1.25rem; }
footer a { color: var(--accent); white-space: nowrap; }
noscript p { margin: 1.5rem 0 0; }
@media (max-width: 40rem) {
  th:first-child { position: sticky; left: 0; background: var(--sheet); max-width: 11rem; }
  .number, td { padding-left: .5rem; padding-right: .5rem; }
  .pair thead .number { white-space: normal; }
  .words { white-space: nowrap; }
  header, main, footer { padding-left: 1rem; padding-right: 1rem; }
  .tiles { grid-template-columns: repeat(2, minmax(0, 1fr)); gap: .75rem; }
  .tile { padding: .7rem .8rem 0; }
  .tile .value { font-size: 1.3rem; }
  .spark { margin: auto -.8rem 0; width: calc(100% + 1.6rem); height: 2rem; }
}
@media (prefers-reduced-motion: no-preference) { button { transition: border-color .15s; } }
)css";

}  // namespace sluice::status
