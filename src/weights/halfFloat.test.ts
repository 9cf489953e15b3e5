import assert from 'node:assert/strict';
import { test } from 'node:test';
import fc from 'fast-check';
import { bfloat16FromFloat32, float16FromFloat32, float32FromBfloat16, float32FromFloat16 } from './halfFloat.js';

const everyPattern = Uint16Array.from({ length: 65536 }, (_, i) => i);
const formats = [
  { name: 'F16', widen: float32FromFloat16, narrow: float16FromFloat32, infinity: 0x7c00, smallest: 2 ** -24 },
  { name: 'BF16', widen: float32FromBfloat16, narrow: bfloat16FromFloat32, infinity: 0x7f80, smallest: 2 ** -133 },
];

for (const { name, widen, narrow, infinity, smallest } of formats) {
  test(`${name}: every pattern survives widening and narrowing`, () => {
    const wide = widen(everyPattern);
    const back = narrow(wide);
    for (const bits of everyPattern) {
      const value = wide[bits] ?? 0;
      if (Number.isNaN(value)) assert.ok(((back[bits] ?? 0) & 0x7fff) > infinity, `NaN ${bits} became ${back[bits]}`);
      else assert.equal(back[bits], bits);
    }
  });

  test(`${name}: a midpoint goes to the even neighbour, anything else to the nearest`, () => {
    const wide = widen(everyPattern);
    for (let bits = 0; bits < infinity - 1; bits++) {
      const [low, high] = [wide[bits] ?? 0, wide[bits + 1] ?? 0];
      const middle = (low + high) / 2;
      const even = bits % 2 === 0 ? bits : bits + 1;
      if (Math.fround(middle) === middle)
        assert.equal(narrow(Float32Array.of(middle))[0], even, `midpoint of ${low} and ${high}`);
      const nearLow = Math.fround(low + (high - low) * 0.49);
      const expected = nearLow - low < high - nearLow ? bits : bits + 1;
      if (nearLow - low !== high - nearLow) assert.equal(narrow(Float32Array.of(nearLow))[0], expected, `${nearLow}`);
    }
  });

  test(`${name}: the ends of the range`, () => {
    assert.equal(widen(Uint16Array.of(1))[0], smallest);
    assert.deepEqual(
      [...narrow(Float32Array.of(Infinity, -Infinity, 3.4e38, -0))],
      [infinity, infinity | 0x8000, infinity, 0x8000],
    );
    assert.ok(Number.isNaN(widen(narrow(Float32Array.of(Number.NaN)))[0]));
  });

  test(`${name}: narrowing keeps the order`, () => {
    const finite = fc.float({ noNaN: true });
    fc.assert(
      fc.property(finite, finite, (a, b) => {
        const [first, second] = widen(narrow(Float32Array.of(Math.min(a, b), Math.max(a, b))));
        assert.ok((first ?? 0) <= (second ?? 0));
      }),
    );
  });
}

test('known values', () => {
  assert.deepEqual(
    [...float16FromFloat32(Float32Array.of(1, -2, 65504, 65519, 65520, 0.1))],
    [0x3c00, 0xc000, 0x7bff, 0x7bff, 0x7c00, 0x2e66],
  );
  assert.deepEqual([...bfloat16FromFloat32(Float32Array.of(1, -2, Math.PI))], [0x3f80, 0xc000, 0x4049]);
});
