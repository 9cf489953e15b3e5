import assert from 'node:assert/strict';
import { test } from 'node:test';
import { ThroughputMonitor } from './throughputMonitor.js';

/** Ten seconds at 30 fps, every `kept`th frame used. */
function reports(kept: number) {
  const pace = new ThroughputMonitor();
  const out = [];
  for (let frame = 0; frame <= 300; frame++) {
    pace.frameArrived();
    if (frame % kept === 0) pace.frameUsed();
    pace.answered(frame % 100);
    const report = pace.behind((frame * 1000) / 30);
    if (report) out.push(report);
  }
  return { out, pace };
}

test('who keeps up is not reported', () => {
  assert.deepEqual(reports(1).out, []);
});

test('who does not is, every three seconds, with rates and the longest delay', () => {
  const { out } = reports(3);
  assert.equal(out.length, 3);
  assert.deepEqual(
    out.map(({ delayMs }) => delayMs),
    [90, 99, 99],
  );
  for (const { arrivedPerSec, usedPerSec } of out) {
    assert.ok(Math.abs(arrivedPerSec - 30) < 1, `${arrivedPerSec}`);
    assert.ok(Math.abs(usedPerSec - 10) < 1, `${usedPerSec}`);
  }
});

test('quantiles of the delays', () => {
  const { pace } = reports(1);
  assert.ok(Math.abs(pace.delayQuantile(0.5) - 50) <= 1);
  assert.ok(Math.abs(pace.delayQuantile(0.95) - 95) <= 1);
  assert.ok(Number.isNaN(new ThroughputMonitor().delayQuantile(0.5)));
});
