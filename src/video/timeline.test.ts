import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import fc from 'fast-check';
import { VideoError } from '../errors.js';
import { buildTimeline, decodeRuns, type PacketFacts, slotsAt, wantedTimes, withoutUnshown } from './timeline.js';

const none = Number.NaN;

function packet(pts: number, dts: number, more: Partial<PacketFacts> = {}): PacketFacts {
  return { pts, dts, duration: 1, key: false, discard: false, corrupt: false, ...more };
}

/** I P B B P B B, twice; in the second, open GOP two B-frames are shown before the key frame. */
const openGops = [
  packet(0, -2, { key: true }),
  packet(3, -1),
  packet(1, 0),
  packet(2, 1),
  packet(6, 2, { key: true }),
  packet(4, 3),
  packet(5, 4),
  packet(9, 5),
  packet(7, 6),
  packet(8, 7),
];

describe('timeline', () => {
  it('puts frames in display order, from zero', () => {
    const packets = openGops.map((one) => ({ ...one, pts: one.pts + 90 }));
    const timeline = buildTimeline(packets, 0.04, 25);
    assert.deepEqual(
      timeline.slots.map((slot) => Math.round(slot.startSec / 0.04)),
      [0, 1, 2, 3, 4, 5, 6, 7, 8, 9],
    );
    assert.deepEqual(
      timeline.slots.map((slot) => slot.packet),
      [0, 2, 3, 1, 5, 6, 4, 8, 9, 7],
    );
    assert.ok(Math.abs(timeline.durationSec - 0.4) < 1e-9);
    assert.equal(timeline.byOrder, false);
  });

  it('finds the frame on screen at any time, whatever the frame times', () => {
    const increasing = fc.array(fc.integer({ min: 1, max: 5000 }), { minLength: 1, maxLength: 60 }).map((gaps) => {
      let tick = 0;
      return gaps.map((gap) => (tick += gap));
    });
    fc.assert(
      fc.property(increasing, fc.double({ min: 0, max: 1, noNaN: true }), (ticks, part) => {
        const timeline = buildTimeline(
          ticks.map((tick, index) => packet(tick, tick, { key: index === 0 })),
          0.001,
          25,
        );
        const timeSec = part * timeline.durationSec;
        const [found] = slotsAt(timeline, [timeSec]);
        const origin = ticks[0] ?? 0;
        const begun = ticks.filter((tick) => (tick - origin) * 0.001 <= timeSec + 5e-4);
        assert.equal(found?.pts, begun.at(-1));
      }),
    );
  });

  it('starts pictures of an open group from the group before', () => {
    const timeline = buildTimeline(openGops, 0.04, 25);
    const runFor = (pts: number) =>
      decodeRuns(
        openGops,
        timeline,
        timeline.slots.filter((slot) => slot.pts === pts),
      ).map(({ from, to }) => [from, to]);
    assert.deepEqual(runFor(4), [[0, 6]]);
    assert.deepEqual(runFor(7), [[4, 9]]);
    assert.deepEqual(runFor(0), [[0, 1]]);
  });

  it('decodes only the groups that hold wanted frames, every wanted packet once', () => {
    const packets = Array.from({ length: 100 }, (_, index) => packet(index, index, { key: index % 10 === 0 }));
    const timeline = buildTimeline(packets, 0.04, 25);
    fc.assert(
      fc.property(fc.uniqueArray(fc.integer({ min: 0, max: 99 }), { minLength: 1 }), (wanted) => {
        const runs = decodeRuns(
          packets,
          timeline,
          wanted.map((pts) => timeline.slots[pts] ?? assert.fail()),
        );
        assert.deepEqual(
          runs.flatMap((run) => [...run.wanted]),
          wanted.toSorted((a, b) => a - b),
        );
        for (const run of runs) {
          assert.equal(run.from % 10, 0);
          assert.ok(run.wanted.has(run.to - 1), 'a run ends with a wanted packet');
        }
        const groups = new Set(wanted.map((index) => Math.floor(index / 10)));
        for (const run of runs) for (let index = run.from; index < run.to; index++) assert.ok(groups.has(Math.floor(index / 10)));
      }),
    );
  });

  it('leaves out what cannot be decoded: frames before the first key frame, cut packets and frames behind a hole', () => {
    const begins = buildTimeline([packet(5, 0), packet(8, 1, { key: true }), packet(6, 2), packet(9, 3)], 1, 25);
    assert.deepEqual(
      begins.slots.map((slot) => slot.pts),
      [8, 9],
    );
    // B-frames 7 and 8 are missing, so 9 is dropped although its packet is whole.
    const ends = buildTimeline([...openGops.slice(0, 8), packet(7, 6, { corrupt: true })], 1, 25);
    assert.deepEqual(
      ends.slots.map((slot) => slot.pts),
      [0, 1, 2, 3, 4, 5, 6],
    );
    assert.equal(ends.durationSec, 7);
  });

  it('does not show what an edit list cuts away', () => {
    const cut = openGops.map((one) => ({ ...one, discard: one.pts < 4 }));
    const timeline = buildTimeline(cut, 1, 25);
    assert.equal(timeline.slots[0]?.pts, 4);
    assert.equal(timeline.durationSec, 6);
  });

  it('goes by display order where packets have no pts, and by the rate where they have no time at all', () => {
    const avi = buildTimeline([packet(none, 0, { key: true }), packet(none, 1), packet(2, 2), packet(none, 4)], 0.1, 10);
    assert.equal(avi.byOrder, true);
    assert.deepEqual(
      avi.slots.map((slot) => Math.round(slot.startSec * 10)),
      [0, 1, 2, 4],
    );
    const raw = buildTimeline([packet(none, none, { key: true }), packet(none, none)], 0.1, 50);
    assert.deepEqual(
      raw.slots.map((slot) => slot.startSec),
      [0, 0.02],
    );
    assert.ok(Math.abs(raw.durationSec - 0.04) < 1e-9);
  });

  it('takes packets with one pts for one frame', () => {
    const packets = [packet(0, 0, { key: true }), packet(1, 1), packet(2, 2), packet(2, 2), packet(3, 3)];
    const timeline = buildTimeline(packets, 1, 25);
    assert.deepEqual(
      timeline.slots.map((slot) => slot.packet),
      [0, 1, 3, 4],
    );
    assert.deepEqual([timeline.byOrder, timeline.duplicates, timeline.durationSec], [false, 1, 4]);
  });

  it('lets the frame before stay where a packet shows nothing, but never hides damage or an early end', () => {
    const timeline = buildTimeline(openGops, 1, 25);
    const hidden = slotsAt(timeline, [4]);
    const [before] = slotsAt(withoutUnshown('a', timeline, hidden, undefined), [4]);
    assert.equal(before?.pts, 3);
    assert.throws(
      () => withoutUnshown('a', timeline, hidden, 'bad bits'),
      /a: the frame at 4\.000 s cannot be decoded: bad bits/,
    );
    assert.throws(() => withoutUnshown('a', timeline, timeline.slots, undefined), /no frame at all/);
    const ordered = buildTimeline(
      Array.from({ length: 10 }, (_, index) => packet(none, index, { key: true })),
      1,
      25,
    );
    assert.equal(withoutUnshown('a', ordered, ordered.slots.slice(8, 9), undefined).slots.length, 8);
    assert.throws(() => withoutUnshown('a', ordered, ordered.slots.slice(7, 8), undefined), VideoError);
  });

  it('takes centres of equal parts, and refuses times that are not in the video', () => {
    const timeline = buildTimeline(openGops, 1, 25);
    const window = { startSec: 0, endSec: timeline.durationSec };
    assert.deepEqual(wantedTimes('a', { evenly: 5 }, window, 1), [1, 3, 5, 7, 9]);
    assert.deepEqual(wantedTimes('a', { evenly: 2, startSec: 4, endSec: 8 }, window, 1), [5, 7]);
    assert.deepEqual(wantedTimes('a', { evenly: 2 }, { startSec: 4, endSec: 8 }, 1), [5, 7]);
    const refused = (times: Parameters<typeof wantedTimes>[1], reason: RegExp) =>
      assert.throws(
        () => wantedTimes('a.mp4', times, window, 1),
        (error) => error instanceof VideoError && reason.test(error.message),
      );
    refused({ timesSec: [12] }, /a\.mp4: no frame at 12\.000 s: the video runs from 0 to 10\.000 s/);
    refused({ timesSec: [3, 2] }, /must not decrease/);
    refused({ timesSec: [Number.NaN] }, /NaN/);
    refused({ timesSec: [] }, /no frame was asked for/);
    refused({ evenly: 0 }, /whole number/);
    refused({ evenly: 2, startSec: 5, endSec: 4 }, /ends before it begins/);
  });
});
