/** The confusion matrix: a shaded table up to 40 classes, dots above that; and the most frequent confusions. */
import type { Metrics } from '../metrics/metrics.js';
import { type Html, html } from './html.js';
import { grouped } from './reportText.js';

const maxTableClasses = 40;
const maxConfusions = 6;

/** The section's content. Shades are shares of the row: of all clips of the true class. */
export function confusionFigure({ confusion, perClass }: Metrics): Html {
  const labels = perClass.map(({ label }) => label);
  const figure = labels.length <= maxTableClasses ? matrixTable(confusion, labels) : matrixMap(confusion);
  return html`${figure}${frequentConfusions(confusion, labels)}`;
}

function matrixTable(confusion: Metrics['confusion'], labels: readonly string[]): Html {
  const head = labels.map((label) => html`<th scope="col" title="${label}"><span>${label}</span></th>`);
  const rows = confusion.map((row, i) => {
    const total = row.reduce((a, b) => a + b, 0);
    return html`<tr><th scope="row" title="${labels[i]}">${labels[i]}</th>${row.map((count, j) => cell(count, total, i === j))}</tr>\n`;
  });
  return html`<p class="muted" id="matrix-key">Rows: what the clip shows. Columns: what the network said. Numbers are clips.</p>
<div class="scroll" role="region" aria-label="Confusion matrix" tabindex="0"><table class="matrix" aria-describedby="matrix-key">
<thead><tr><td></td>${head}</tr></thead>
<tbody>${rows}</tbody></table></div>`;
}

function cell(count: number, total: number, right: boolean): Html {
  if (count === 0) return html`<td class="none">${right ? '0' : '·'}</td>`;
  return html`<td class="${right ? 'right' : 'wrong'}" style="--share:${(count / total).toFixed(3)}">${count}</td>`;
}

/** Draws non-zero cells only: file size grows with clips, not with classes squared. */
function matrixMap(confusion: Metrics['confusion']): Html {
  const size = confusion.length;
  const cells = confusion.flatMap((row, i) => {
    const total = row.reduce((a, b) => a + b, 0);
    return row.flatMap((count, j) => {
      if (count === 0) return [];
      const style = i === j ? 'right' : 'wrong';
      return [
        html`<rect class="${style}" x="${j}" y="${i}" width="1" height="1" style="--share:${(count / total).toFixed(3)}"/>`,
      ];
    });
  });
  return html`<figure class="map"><svg viewBox="0 0 ${size} ${size}" role="img" aria-label="Confusion matrix of ${size} classes">
<rect class="frame" width="${size}" height="${size}"/>${cells}</svg>
<figcaption>${size} classes: what the clip shows downwards, what the network said to the right, both in the order of the labels.
Right answers lie on the diagonal.</figcaption></figure>`;
}

function frequentConfusions(confusion: Metrics['confusion'], labels: readonly string[]): Html {
  const wrong = confusion.flatMap((row, i) =>
    row.flatMap((count, j) => (i !== j && count > 0 ? [{ count, truth: labels[i], said: labels[j] }] : [])),
  );
  if (wrong.length === 0) return html`<p>No clip was taken for another class.</p>`;
  wrong.sort((a, b) => b.count - a.count);
  const shown = wrong.slice(0, maxConfusions);
  const rest = wrong.slice(maxConfusions).reduce((sum, { count }) => sum + count, 0);
  return html`<h3>Most frequent confusions</h3>
<ol class="confusions">${shown.map(
    ({ count, truth, said }) =>
      html`<li><b>${count}×</b> <bdi>${truth}</bdi> <span class="muted">taken for</span> <bdi>${said}</bdi></li>\n`,
  )}</ol>${rest > 0 ? html`<p class="muted">${grouped(rest)} more ${rest === 1 ? 'mistake' : 'mistakes'} in ${wrong.length - shown.length} other places.</p>` : ''}`;
}
