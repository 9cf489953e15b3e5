/** The report's style sheet. Right is blue, wrong is rust (safe for red-green colour blindness), and both are labelled. */
export const reportStyle = `
:root {
  color-scheme: light dark;
  --paper: #fdfdfb; --ink: #1c1d1f; --muted: #63666b; --line: #e2e2dc; --faint: #f3f3ee;
  --right: #2a5bbf; --wrong: #b4451f;
  --run0: #7a3fb0; --run1: #0b7a85; --run2: #a06b00; --run3: #b03a78; --run4: #4d7a1f; --run5: #59636f; --run6: #8a4b2a; --run7: #3f4fb8;
}
@media screen and (prefers-color-scheme: dark) {
  :root { --paper: #141517; --ink: #e9e8e4; --muted: #9fa2a7; --line: #2d2f33; --faint: #1c1e21; --right: #86abff; --wrong: #f0926b;
    --run0: #c79bf2; --run1: #58c7d1; --run2: #e2b04a; --run3: #f08cc0; --run4: #a3d06a; --run5: #b4bcc6; --run6: #d9a184; --run7: #9aa8ff; }
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
.chart line.mark { stroke: var(--muted); stroke-width: 1; stroke-dasharray: 3 3; }
.run0 { --run: var(--run0); }
.run1 { --run: var(--run1); } path.run1 { stroke-dasharray: 6 3; }
.run2 { --run: var(--run2); } path.run2 { stroke-dasharray: 2 3; }
.run3 { --run: var(--run3); } path.run3 { stroke-dasharray: 8 3 2 3; }
.run4 { --run: var(--run4); }
.run5 { --run: var(--run5); } path.run5 { stroke-dasharray: 6 3; }
.run6 { --run: var(--run6); } path.run6 { stroke-dasharray: 2 3; }
.run7 { --run: var(--run7); } path.run7 { stroke-dasharray: 8 3 2 3; }
path[class^=run] { fill: none; stroke: var(--run); stroke-width: 2; stroke-linejoin: round; stroke-linecap: butt; }
circle[class^=run], rect[class^=run] { fill: var(--run); }
.film { margin-top: 2rem; }
.film > svg + svg { margin-top: 0.75rem; }
.film rect.doubt { fill: var(--paper); fill-opacity: 0.45; }
.chart text.on { fill: #fff; font-size: 11px; font-weight: 600; }
.legend.film { margin-top: 0; font-size: 0.875rem; }

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
tfoot th, tfoot td { font-weight: 600; border-bottom: 0 !important; }
.composition { margin-top: 1.25rem; }
.list td.meter.parts { text-align: left; white-space: nowrap; font-size: 0; }
.meter.parts span { display: inline-block; width: calc(var(--share) * 100%); background: var(--part); }
.train { --part: var(--right); } .val { --part: color-mix(in srgb, var(--right) 55%, var(--paper)); } .test { --part: var(--muted); }
.key { display: inline-block; width: 0.6rem; height: 0.6rem; margin-right: 0.35rem; border-radius: 2px; background: var(--part); }
.options td, .options th { text-align: left; white-space: normal; }
.options th[scope=row] { white-space: nowrap; }
.options td { min-width: 7rem; }
.all-options { columns: 3 15rem; column-gap: 3rem; font-size: 0.8125rem; }
.all-options div { display: flex; justify-content: space-between; gap: 1rem; padding: 0.15rem 0; break-inside: avoid; border-bottom: 1px solid var(--line); }
.all-options dt { color: var(--muted); } .all-options dd { text-align: right; }
.all-options .changed dt, .all-options .changed dd { color: var(--right); font-weight: 600; }
.left-out { margin-top: 0.5rem; padding-left: 1.25rem; }
.notes + .notes, .facts + .notes { margin-top: 1rem; }

.seeds { margin-top: 0.75rem; font-size: 0.875rem; }
.results { margin-top: 2rem; }
.results th, .results td, .pairs th, .pairs td { vertical-align: middle; }
.results th[scope=row], .pairs th[scope=row] { font-weight: 600; white-space: nowrap; }
.results .big { font-size: 1.25rem; font-weight: 600; letter-spacing: -0.01em; }
.results .axis, .results .interval { width: 24%; min-width: 8rem; padding-inline: 0.75rem; }
.results .axis span { float: left; color: var(--muted); } .results .axis span + span { float: right; }
.interval span { display: block; position: relative; height: 1.25rem; background: linear-gradient(var(--line) 0 0) 0 50% / 100% 1px no-repeat; }
.interval span::before { content: ""; position: absolute; top: calc(50% - 3px); height: 6px; border-radius: 3px; left: calc(var(--low) * 100%); width: calc((var(--high) - var(--low)) * 100%); background: var(--run, var(--right)); opacity: 0.4; }
.interval span::after { content: ""; position: absolute; top: calc(50% - 6px); height: 12px; width: 3px; border-radius: 1.5px; left: calc(var(--at) * 100% - 1.5px); background: var(--run, var(--right)); }
.pairs td:last-child, .pairs thead th:last-child { text-align: left; padding-left: 1rem; }
.list + .muted, .scroll + .muted { margin-top: 0.75rem; }
.recall { background: linear-gradient(color-mix(in srgb, var(--run) 55%, var(--paper)) 0 0) 0 100% / calc(var(--share) * 100%) 3px no-repeat content-box; min-width: 6rem; }
.list td.recall { padding-left: 0.75rem; padding-bottom: 0.2rem; }
.who { display: flex; flex-wrap: wrap; align-items: baseline; gap: 0 0.4rem; font-weight: 400; }
.bars li.wrong .who bdi { color: var(--wrong); }

details { margin-top: 1rem; font-size: 0.875rem; }
summary { cursor: pointer; color: var(--muted); }
details .scroll { margin-top: 0.5rem; max-height: 24rem; overflow-y: auto; }
details.whole .scroll { max-height: none; }
.epochs th { min-width: 3.5rem; }

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
