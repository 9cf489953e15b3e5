import { type Html, html } from './html.js';
import { factList, noteList } from './page.js';
import type { ReportComposition, ReportOption, ReportOptions } from './reportData.js';
import { grouped } from './reportText.js';

/** Every option; those that differ from the defaults as a table of their own. */
export function recipeLists(groups: readonly ReportOptions[]): Html {
  const changed = groups.flatMap(({ options }) => options.filter(({ byDefault }) => byDefault !== undefined));
  return html`${changedTable(changed)}${groups.map(optionList)}`;
}

function changedTable(changed: readonly ReportOption[]): Html {
  if (changed.length === 0) return html`<p>Every option is as by default.</p>`;
  const rows = changed.map(
    ({ name, value, byDefault }) =>
      html`<tr><th scope="row">${name}</th><td><b>${value}</b></td><td class="muted">${byDefault}</td></tr>\n`,
  );
  return html`<div class="scroll" role="region" aria-label="Options that differ from the defaults" tabindex="0"><table class="list options">
<thead><tr><th scope="col">Not as by default</th><th scope="col">In this run</th><th scope="col">Default</th></tr></thead>
<tbody>${rows}</tbody></table></div>`;
}

function optionList({ heading, options }: ReportOptions): Html {
  const items = options.map(
    ({ name, value, byDefault }) =>
      html`<div${byDefault === undefined ? '' : html` class="changed"`}><dt>${name}</dt><dd>${value}</dd></div>\n`,
  );
  return html`<h3>${heading} <span class="count">${options.length}</span></h3><dl class="all-options">${items}</dl>`;
}

/** Videos of each class in each split, what was left out, what was found. */
export function compositionTable({ facts, classes, leftOut, findings }: ReportComposition): Html {
  return html`${factList(facts)}${noteList(findings)}${classes.length > 0 ? splitTable(classes) : ''}${leftOutList(leftOut)}`;
}

function splitTable(classes: ReportComposition['classes']): Html {
  const splits = (['train', 'val', 'test'] as const).filter((split) => classes.some((row) => row[split] > 0));
  const total = (row: ReportComposition['classes'][number]) => row.train + row.val + row.test;
  const most = Math.max(...classes.map(total));
  const names = { train: 'Training', val: 'Validation', test: 'Test' };
  const bar = (row: ReportComposition['classes'][number]) =>
    html`<td class="meter parts">${splits.map((split) => html`<span class="${split}" style="--share:${(row[split] / most).toFixed(4)}"></span>`)}</td>`;
  const rows = classes.map(
    (row) =>
      html`<tr><th scope="row"><bdi>${row.label}</bdi></th>${splits.map((split) => html`<td>${grouped(row[split])}</td>`)}<td>${grouped(total(row))}</td>${bar(row)}</tr>\n`,
  );
  const sum = (count: (row: ReportComposition['classes'][number]) => number) =>
    grouped(classes.reduce((all, row) => all + count(row), 0));
  return html`<div class="scroll" role="region" aria-label="Videos by class and split" tabindex="0"><table class="list composition">
<thead><tr><th scope="col">Class</th>${splits.map((split) => html`<th scope="col"><span class="key ${split}"></span>${names[split]}</th>`)}<th scope="col">All</th><td class="meter"></td></tr></thead>
<tbody>${rows}</tbody>
<tfoot><tr><th scope="row">All ${classes.length} classes</th>${splits.map((split) => html`<td>${sum((row) => row[split])}</td>`)}<td>${sum(total)}</td><td class="meter"></td></tr></tfoot></table></div>`;
}

function leftOutList(leftOut: ReportComposition['leftOut']): Html {
  if (leftOut.length === 0) return html``;
  const what = `${grouped(leftOut.length)} training ${leftOut.length === 1 ? 'video was' : 'videos were'} left out`;
  const items = leftOut.map(({ name, reason }) => html`<li><bdi>${name}</bdi><br><span class="muted">${reason}</span></li>\n`);
  return html`<details><summary>${what}: they could not be read</summary><ul class="left-out">${items}</ul></details>`;
}
