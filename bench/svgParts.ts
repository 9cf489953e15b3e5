/** What the SVG charts of results share. */

import type { Machine } from './machine.js';

export interface Provenance {
  readonly machine: Pick<Machine, 'cpu' | 'vectors' | 'cores'>;
  readonly date: string;
}

/** Light and dark palette. `c0` to `c4` colour lines and their marks. */
export const style = `<style>
text { font: 13px system-ui, sans-serif; fill: #1f2328; } .small { font-size: 11px; fill: #59636e; } .title { font-weight: 600; font-size: 15px; }
.ours { fill: #1a7f37; } .peer { fill: #afb8c1; } .grid { stroke: #d1d9e0; } .mark { stroke: #bc4c00; stroke-width: 2; } .back { fill: #ffffff; }
.chance { stroke: #59636e; stroke-width: 1.5; stroke-dasharray: 5 4; }
.line { fill: none; stroke-width: 2; } .c0 { stroke: #0969da; fill: #0969da; } .c1 { stroke: #bc4c00; fill: #bc4c00; } .c2 { stroke: #1a7f37; fill: #1a7f37; }
.c3 { stroke: #8250df; fill: #8250df; } .c4 { stroke: #59636e; fill: #59636e; } path.line { fill: none; }
@media (prefers-color-scheme: dark) {
text { fill: #f0f6fc; } .small { fill: #9198a1; } .ours { fill: #3fb950; } .peer { fill: #59636e; } .grid { stroke: #3d444d; } .mark { stroke: #f0883e; }
.back { fill: #0d1117; } .chance { stroke: #9198a1; } .c0 { stroke: #58a6ff; fill: #58a6ff; } .c1 { stroke: #f0883e; fill: #f0883e; } .c2 { stroke: #3fb950; fill: #3fb950; }
.c3 { stroke: #bc8cff; fill: #bc8cff; } .c4 { stroke: #9198a1; fill: #9198a1; } path.line { fill: none; } }
</style>`;

export const escaped = (text: string): string =>
  text.replace(/[&<>"]/g, (c) => ({ '&': '&amp;', '<': '&lt;', '>': '&gt;', '"': '&quot;' })[c] ?? c);
export const machineLine = ({ machine, date }: Provenance): string =>
  escaped(`${machine.cpu} (${machine.vectors}), ${machine.cores} cores, ${date.slice(0, 10)}`);

/** A coordinate; one decimal keeps the file small. */
export const at = (value: number): string => String(Math.round(value * 10) / 10);
