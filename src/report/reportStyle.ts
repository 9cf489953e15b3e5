/** The report's style sheet. Right is blue and wrong is rust, which people who confuse red and green tell apart; words say it too. */
export const reportStyle = `
:root {
  color-scheme: light dark;
  --paper: #fdfdfb; --ink: #1c1d1f; --muted: #63666b; --line: #e2e2dc; --faint: #f3f3ee;
  --right: #2a5bbf; --wrong: #b4451f;
}
@media screen and (prefers-color-scheme: dark) {
  :root { --paper: #141517; --ink: #e9e8e4; --muted: #9fa2a7; --line: #2d2f33; --faint: #1c1e21; --right: #86abff; --wrong: #f0926b; }
}
* { box-sizing: border-box; }
html { -webkit-text-size-adjust: 100%; }
body {
  margin: 0 auto; padding: clamp(1.5rem, 5vw, 4rem) clamp(1rem, 4vw, 2.5rem) 4rem; max-width: 62rem;
  background: var(--paper); color: var(--ink);
  font: 1rem/1.5 ui-sans-serif, system-ui, -apple-system, "Segoe UI", "Helvetica Neue", Arial, sans-serif;
  font-variant-numeric: tabular-nums; overflow-wrap: anywhere;
}
h1, h2, h3, h4, p, dl, dd, ol, ul, figure, table { margin: 0; }
h1, p, dd, li, pre { unicode-bidi: isolate; }
h1 { font-size: clamp(1.6rem, 4.5vw, 2.25rem); line-height: 1.15; font-weight: 650; letter-spacing: -0.02em; text-wrap: balance; }
h2 { margin: 3.5rem 0 1rem; font-size: 1.25rem; line-height: 1.3; font-weight: 650; letter-spacing: -0.01em; }
h3 { margin: 2rem 0 0.5rem; font-size: 0.95rem; font-weight: 600; }
h4 { font-size: 1rem; font-weight: 600; line-height: 1.3; }
.lead { margin-top: 0.75rem; max-width: 42rem; color: var(--muted); font-size: 1.05rem; }
.muted, caption, figcaption, .note { color: var(--muted); }
.muted, .note { font-size: 0.875rem; }
.count { font-weight: 400; color: var(--muted); margin-left: 0.25rem; }

.headline { display: grid; grid-template-columns: repeat(auto-fit, minmax(9.5rem, 1fr)); gap: 1.5rem 2rem; margin: 2.25rem 0 0; padding: 1.5rem 0; border-block: 1px solid var(--line); }
.headline div { display: flex; flex-direction: column; }
.headline dt { color: var(--muted); font-size: 0.875rem; }
.headline dd:first-of-type { font-size: 2rem; line-height: 1.2; font-weight: 600; letter-spacing: -0.02em; }
.headline dd + dd { color: var(--muted); font-size: 0.8125rem; }
.facts { display: grid; grid-template-columns: repeat(auto-fit, minmax(min(100%, 26rem), 1fr)); column-gap: 3rem; margin-top: 1.25rem; font-size: 0.875rem; }
.facts div { display: grid; grid-template-columns: 7.5rem 1fr; gap: 0.75rem; padding: 0.2rem 0; }
.facts dt { color: var(--muted); }
.notes { margin-top: 1.25rem; padding: 0.75rem 1rem 0.75rem 2rem; background: var(--faint); border-radius: 6px; font-size: 0.875rem; }

.charts { display: grid; grid-template-columns: repeat(auto-fill, minmax(min(100%, 22rem), 1fr)); gap: 2rem; }
.chart figcaption { display: flex; flex-wrap: wrap; justify-content: space-between; gap: 0.25rem 1rem; margin-bottom: 0.5rem; font-size: 0.875rem; }
.chart strong { color: var(--ink); font-weight: 600; }
.legend { display: flex; flex-wrap: wrap; gap: 0.1rem 1rem; }
.legend b { color: var(--ink); font-weight: 600; }
.swatch { width: 18px; height: 8px; vertical-align: middle; }
.chart > svg { display: block; width: 100%; height: auto; }
.chart text { font-size: 11.5px; fill: var(--muted); font-family: inherit; }
.chart .grid { stroke: var(--line); stroke-width: 1; }
path.lineA, path.lineB { fill: none; stroke-width: 2; stroke-linejoin: round; stroke-linecap: round; }
path.lineA { stroke: var(--muted); stroke-dasharray: 1 4; }
path.lineB { stroke: var(--right); }
circle.lineA { fill: var(--muted); } circle.lineB { fill: var(--right); }

.clips { border-top: 1px solid var(--line); }
.clip { display: grid; grid-template-columns: minmax(0, 5fr) minmax(13rem, 2fr); gap: 0.75rem 1.75rem; align-items: center; padding: 1rem 0; border-bottom: 1px solid var(--line); }
.strip { display: grid; grid-template-columns: repeat(min(var(--frames), 8), 1fr); gap: 3px; }
.strip img { display: block; width: 100%; height: auto; border-radius: 2px; background: var(--faint); }
.answer:only-child { grid-column: 1 / -1; }
.answer h4 { display: flex; flex-wrap: wrap; justify-content: space-between; align-items: baseline; gap: 0 0.75rem; }
.mark { font-size: 0.8125rem; font-weight: 600; white-space: nowrap; }
.mark.right { color: var(--right); } .mark.wrong { color: var(--wrong); }
.bars { list-style: none; padding: 0; margin: 0.4rem 0 0; font-size: 0.8125rem; }
.bars li { display: flex; justify-content: space-between; gap: 0.75rem; padding: 0.1rem 0 0.2rem; color: var(--muted);
  background: linear-gradient(var(--bar, var(--muted)) 0 0) 0 100% / calc(var(--share) * 100%) 2px no-repeat, linear-gradient(var(--line) 0 0) 0 100% / 100% 2px no-repeat; }
.bars span { flex: none; }
.bars li + li { margin-top: 0.2rem; }
.bars li.right { --bar: var(--right); color: var(--ink); font-weight: 600; }
.bars li.wrong:first-child { --bar: var(--wrong); color: var(--ink); }
.path { margin-top: 0.4rem; color: var(--muted); font-size: 0.75rem; line-height: 1.3; }

.scroll { overflow-x: auto; }
.scroll:focus-visible { outline: 2px solid var(--right); outline-offset: 4px; }
#matrix-key { margin-bottom: 0.75rem; }
table { border-collapse: collapse; font-size: 0.8125rem; }
caption { text-align: left; padding-bottom: 0.75rem; font-size: 0.875rem; }
th { font-weight: 400; text-align: left; }
.matrix th[scope=row] { padding: 0 0.75rem 0 0; max-width: 11rem; white-space: nowrap; overflow: hidden; text-overflow: ellipsis; }
.matrix thead th { padding: 0 0 0.4rem; vertical-align: bottom; }
.matrix thead th span { display: block; margin: 0 auto; max-height: 9rem; writing-mode: vertical-rl; transform: rotate(180deg); white-space: nowrap; overflow: hidden; text-overflow: ellipsis; }
.matrix td { width: 2.35rem; min-width: 2.35rem; height: 2.1rem; padding: 0; text-align: center; border: 1px solid var(--paper); background: var(--faint); }
.matrix thead td { background: none; }
.matrix td.none { color: var(--muted); opacity: 0.7; }
.matrix td.right { font-weight: 600; background: color-mix(in srgb, var(--right) calc(8% + var(--share) * 38%), var(--paper)); }
.matrix td.wrong { background: color-mix(in srgb, var(--wrong) calc(16% + var(--share) * 44%), var(--paper)); }
.map svg { display: block; width: min(100%, 40rem); height: auto; }
.map .frame { fill: var(--faint); }
.map rect.right { fill: color-mix(in srgb, var(--right) calc(25% + var(--share) * 75%), var(--paper)); }
.map rect.wrong { fill: color-mix(in srgb, var(--wrong) calc(35% + var(--share) * 65%), var(--paper)); }
.map figcaption { margin-top: 0.75rem; font-size: 0.875rem; max-width: 40rem; }
.confusions { list-style: none; padding: 0; font-size: 0.9375rem; columns: 2 18rem; column-gap: 3rem; }
.confusions li { break-inside: avoid; }
.confusions b { display: inline-block; min-width: 2.25rem; font-weight: 600; }

.list { width: 100%; font-size: 0.875rem; }
.list th, .list td { padding: 0.35rem 0.75rem 0.35rem 0; border-bottom: 1px solid var(--line); text-align: right; white-space: nowrap; }
.list th:first-child { text-align: left; white-space: normal; }
.list thead th { color: var(--muted); vertical-align: bottom; }
.list td.meter { min-width: 7rem; width: 30%; padding-left: 0.75rem; padding-right: 0; }
.meter span { display: block; height: 6px; border-radius: 1px; background: linear-gradient(var(--right) 0 0) 0 0 / calc(var(--share) * 100%) 100% no-repeat var(--line); }
details { margin-top: 1rem; font-size: 0.875rem; }
summary { cursor: pointer; color: var(--muted); }
details .scroll { margin-top: 0.5rem; max-height: 24rem; overflow-y: auto; }

.commands { padding: 0; list-style: none; }
.commands li + li { margin-top: 1rem; }
.commands pre { margin: 0.25rem 0 0; padding: 0.75rem 1rem; background: var(--faint); border-radius: 6px; white-space: pre-wrap; }
code { font: 0.875rem/1.5 ui-monospace, "SF Mono", "Cascadia Mono", Menlo, Consolas, monospace; }

@media (max-width: 46rem) {
  h2 { margin-top: 2.75rem; }
  .headline { grid-template-columns: 1fr 1fr; gap: 1.25rem; }
  .headline dd:first-of-type { font-size: 1.6rem; }
  .clip { grid-template-columns: minmax(0, 1fr); }
  .strip { grid-template-columns: repeat(min(var(--frames), 4), 1fr); }
  .facts div { grid-template-columns: 6.5rem 1fr; }
}
@media (max-width: 30rem) {
  .chart text { font-size: 14px; }
}
@media print {
  @page { margin: 16mm; }
  :root { --paper: #fff; font-size: 72%; }
  body { max-width: none; padding: 0; print-color-adjust: exact; -webkit-print-color-adjust: exact; }
  h2, h3, section > .muted { break-after: avoid; }
  .clip, .chart, .matrix, .map, .commands li, tr { break-inside: avoid; }
  .scroll { overflow: visible; }
  .headline { grid-template-columns: repeat(4, 1fr); }
  details { display: none; }
}
`;
