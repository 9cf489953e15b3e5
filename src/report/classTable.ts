import type { Metrics } from '../metrics/metrics.js';
import { type Html, html } from './html.js';
import { percent } from './reportText.js';

/** Classes with the weakest first; those without test clips last. */
export function classTable({ perClass }: Metrics): Html {
  const sorted = [...perClass].sort((a, b) => (a.recall ?? 2) - (b.recall ?? 2) || (a.precision ?? 2) - (b.precision ?? 2));
  const rate = (value: number | null) => (value === null ? '–' : percent(value));
  const rows = sorted.map(
    ({
      label,
      count,
      correct,
      recall,
      precision,
    }) => html`<tr><th scope="row"><bdi>${label}</bdi></th><td>${correct} of ${count}</td>
<td>${rate(precision)}</td><td>${rate(recall)}</td><td class="meter"><span style="--share:${(recall ?? 0).toFixed(3)}"></span></td></tr>\n`,
  );
  return html`<div class="scroll" role="region" aria-label="Classes" tabindex="0"><table class="list">
<caption>The weakest first. Precision: how many of the clips given this label are of the class. Recall: how many of the class were recognised.</caption>
<thead><tr><th scope="col">Class</th><th scope="col">Right</th><th scope="col">Precision</th><th scope="col">Recall</th><td class="meter"></td></tr></thead>
<tbody>${rows}</tbody></table></div>`;
}
