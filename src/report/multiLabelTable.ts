import type { MultiLabelMetrics } from '../metrics/multiLabel.js';
import { type Html, html } from './html.js';
import { percent } from './reportText.js';

/** Classes with the least average precision first; those that never happen last. */
export function multiLabelTable({ perClass }: MultiLabelMetrics): Html {
  const sorted = [...perClass].sort((a, b) => (a.ap ?? 2) - (b.ap ?? 2));
  const rate = (value: number | null) => (value === null ? '–' : percent(value));
  const rows = sorted.map(({ label, count, ap, f1, precision, recall, threshold }) => {
    const numbers = [String(count), rate(ap), rate(f1), rate(precision), rate(recall), threshold.toFixed(2)];
    return html`<tr><th scope="row"><bdi>${label}</bdi></th>${numbers.map((value) => html`<td>${value}</td>`)}<td class="meter"><span style="--share:${(ap ?? 0).toFixed(3)}"></span></td></tr>\n`;
  });
  const heads = ['Class', 'Clips', 'Average precision', 'F1', 'Precision', 'Recall', 'Threshold'];
  return html`<div class="scroll" role="region" aria-label="Classes" tabindex="0"><table class="list">
<caption>The weakest first. A clip may be of several classes. Average precision looks at the order of scores; F1, precision and recall at those from the threshold on.</caption>
<thead><tr>${heads.map((head) => html`<th scope="col">${head}</th>`)}<td class="meter"></td></tr></thead>
<tbody>${rows}</tbody></table></div>`;
}
