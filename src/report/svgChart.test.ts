import assert from 'node:assert/strict';
import { test } from 'node:test';
import fc from 'fast-check';
import { lineChart, roundTicks } from './svgChart.js';

const options = { title: 'Loss', xLabel: 'epoch', format: (value: number) => value.toFixed(1) };
const points = (...ys: number[]) => ys.map((y, i) => ({ x: i + 1, y }));

test('ticks are round and enclose the range', () => {
  assert.deepEqual(roundTicks(0, 1, 4), [0, 0.25, 0.5, 0.75, 1]);
  assert.deepEqual(roundTicks(0.5, 2.7, 4), [0, 1, 2, 3]);
  assert.deepEqual(roundTicks(2, 2, 4), [1, 1.5, 2, 2.5, 3]);
  assert.deepEqual(roundTicks(Infinity, -Infinity, 4), [0, 1]);
  const number = fc.double({ min: -1e6, max: 1e6, noNaN: true });
  fc.assert(
    fc.property(number, number, (a, b) => {
      const [low, high] = [Math.min(a, b), Math.max(a, b)];
      const ticks = roundTicks(low, high, 4);
      const little = 1e-8 * (high - low) + 1e-9 * Math.abs(high);
      assert.ok((ticks[0] ?? Infinity) <= low + little, `${ticks} above ${low}`);
      assert.ok((ticks.at(-1) ?? -Infinity) >= high - little, `${ticks} below ${high}`);
      assert.ok(ticks.length >= 2 && ticks.length <= 8, `${ticks.length} ticks`);
    }),
  );
});

test('the line runs from the first point to the last, which the legend names', () => {
  const { markup } = lineChart([{ name: 'training', style: 'lineA', points: points(2, 1, 0) }], options);
  assert.match(markup, /<path class="lineA" d="M46 12L237 103L428 194"\/><circle class="lineA" cx="428" cy="194"/);
  assert.match(markup, /training <b>0\.0<\/b>/);
  assert.match(markup, /aria-label="Loss: training from 2\.0 to 0\.0 at epoch 3"/);
});

test('one point is a dot in the middle; none is an empty chart; what is not finite is counted', () => {
  assert.match(lineChart([{ name: 'a', style: 'lineB', points: points(1) }], options).markup, /<circle class="lineB" cx="237"/);
  const empty = lineChart([{ name: 'a', style: 'lineB', points: [] }], options).markup;
  assert.ok(!empty.includes('<circle') && !empty.includes('NaN') && empty.includes('a <b>–</b>'));
  const broken = lineChart([{ name: 'a', style: 'lineB', points: points(1, Number.NaN, Infinity, 2) }], options).markup;
  assert.ok(broken.includes('(2 not finite, left out)') && !/="[^"]*(NaN|Infinity)/.test(broken));
});

test('any values stay inside the picture', () => {
  const anyPoints = fc.array(fc.double({ min: -1e9, max: 1e9, noNaN: true }), { minLength: 1, maxLength: 30 });
  fc.assert(
    fc.property(anyPoints, (ys) => {
      const { markup } = lineChart([{ name: 'a', style: 'lineA', points: points(...ys) }], options);
      const path = /<path class="lineA" d="([^"]+)"\/><circle/.exec(markup)?.[1] ?? '';
      assert.equal(path.split(/[ML]/).length - 1, ys.length);
      for (const [, x, y] of path.matchAll(/[ML](\S+) ([^ML]+)/g)) {
        assert.ok(Number(x) >= 46 - 0.1 && Number(x) <= 428.1 && Number(y) >= 11.9 && Number(y) <= 194.1, `${x} ${y}`);
      }
    }),
  );
});
