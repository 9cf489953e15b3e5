import assert from 'node:assert/strict';
import { test } from 'node:test';
import fc from 'fast-check';
import { computeMetrics } from '../metrics/metrics.js';
import { html } from './html.js';
import { type ReportClip, type ReportData, renderReport } from './report.js';

const pixel = 'data:image/png;base64,iVBORw0KGgo=';
const clip = (trueLabel: string, said: string, score: number): ReportClip => ({
  name: `test/${trueLabel}/${score}.mp4`,
  trueLabel,
  predictions: [
    { label: said, score },
    { label: 'clap', score: 0.002 },
    { label: 'jump', score: 0.001 },
    { label: 'fourth', score: 0 },
  ],
  frames: [pixel, pixel],
});
const labels = ['wave', 'clap', 'jump'];
const metrics = computeMetrics(
  [
    { labelIndex: 0, scores: [3, 1, 0] },
    { labelIndex: 0, scores: [1, 3, 0] },
    { labelIndex: 1, scores: [0, 3, 1] },
  ],
  labels,
);
const full: ReportData = {
  title: 'A run',
  lead: 'What it is.',
  accuracy: { top1: { correct: 293, count: 308 }, top1Pairs: { correct: 122, count: 132 }, top5: 1, meanClassAccuracy: 0.951 },
  model: {
    name: 'vmf-0.1g',
    parameters: 1234567,
    macs: 97_300_000,
    frames: 8,
    height: 112,
    width: 112,
    weightsPath: 'run/best.safetensors',
  },
  run: {
    trainClips: 1120,
    valClips: 140,
    testClips: 308,
    seconds: 292,
    seed: 7,
    data: 'data',
    machine: 'two cores',
    date: '2025-01-02',
  },
  epochs: [
    { epoch: 1, trainLoss: 2.5, trainAccuracy: 0.2, valLoss: 2.4, valAccuracy: 0.25 },
    { epoch: 2, trainLoss: 1.5, trainAccuracy: 0.7, valLoss: 1.6, valAccuracy: 0.65 },
  ],
  metrics,
  clips: [clip('wave', 'wave', 0.9), clip('wave', 'clap', 0.6), clip('jump', 'clap', 0.8)],
  commands: [{ what: 'Everything', command: 'npm run demo' }],
  notes: ['one file was left out'],
};

test('everything given is on the page', () => {
  const page = renderReport(full);
  const wanted = [
    '95.1\u202f%',
    '293 of 308 clips',
    '92.1 to 97.0\u202f%',
    '92.4\u202f%',
    '1,234,567',
    '97.3\u202fM a view',
    '8 frames of 112 × 112',
    '4\u202fmin 52\u202fs',
    'two cores',
    '2025-01-02',
    'one file was left out',
    'npm run demo',
    'run/best.safetensors',
  ];
  for (const text of wanted) assert.ok(page.includes(text), `${text} is missing`);
  assert.ok(!page.includes('A sample'), 'the three clips are all there are');
  assert.equal(page.split(`src="${pixel}"`).length - 1, 6);
});

test('mistakes come before right answers, the most confident first; three answers each', () => {
  const page = renderReport(full);
  const order = [
    'Mistakes, worst first',
    'test/jump/0.8.mp4</bdi>',
    'test/wave/0.6.mp4</bdi>',
    'Recognised',
    'test/wave/0.9.mp4</bdi>',
  ];
  const places = order.map((text) => page.indexOf(text));
  assert.ok(
    places.every((place, i) => place > (places[i - 1] ?? 0)),
    String(places),
  );
  assert.ok(!page.includes('fourth'));
  assert.equal(page.split('✗').length - 1, 2);
  assert.equal(page.split('✓').length - 1, 1);
  assert.ok(page.includes('&lt;\u202f1\u202f%'), 'a small score is not called 0');
});

test('the matrix shows every count, and what was confused', () => {
  const page = renderReport({ title: 'm', metrics });
  assert.match(page, /<td class="right" style="--share:0\.500">1<\/td><td class="wrong" style="--share:0\.500">1<\/td>/);
  assert.match(page, /<b>1×<\/b> <bdi>wave<\/bdi> <span class="muted">taken for<\/span> <bdi>clap<\/bdi>/);
  assert.ok(
    page.indexOf('<bdi>wave</bdi></th><td>1 of 2') < page.indexOf('<bdi>clap</bdi></th><td>1 of 1'),
    'the weakest class first',
  );
});

test('more classes than a table holds become a map with one rectangle a filled cell', () => {
  const many = Array.from({ length: 60 }, (_, i) => `class ${i}`);
  const scored = many.map((_, i) => ({ labelIndex: i, scores: many.map((_label, j) => (j === (i % 2 ? i : 0) ? 1 : 0)) }));
  const page = renderReport({ title: 'm', metrics: computeMetrics(scored, many) });
  assert.equal(page.split('<rect class="right"').length - 1, 31);
  assert.equal(page.split('<rect class="wrong"').length - 1, 29);
  assert.ok(page.includes('23 more mistakes in 23 other places'));
});

test('only a title is a page too', () => {
  const page = renderReport({ title: 'Bare' });
  assert.match(page, /<h1>Bare<\/h1>/);
  assert.ok(!page.includes('<h2>') && !page.includes('undefined') && !page.includes('NaN'));
});

test('self-contained: no script, no address, and a policy that forbids both', () => {
  const page = renderReport(full);
  assert.ok(!/<script|<link|<iframe|javascript:|@import|url\(|https?:/i.test(page));
  assert.match(page, /Content-Security-Policy" content="default-src 'none'; img-src data:/);
});

test('a frame that is no picture in a data URI is refused', () => {
  for (const frame of ['https://example.org/a.png', 'data:image/svg+xml;base64,AAAA', 'data:image/png;base64,"><b>', '']) {
    const clips = [{ ...clip('wave', 'wave', 1), frames: [frame] }];
    assert.throws(() => renderReport({ title: 't', clips }), {
      name: 'ConfigError',
      message: /^report frame 0 is ".*"; expected data:image/,
    });
  }
});

function everywhere(text: string): ReportData {
  return {
    title: text,
    lead: text,
    model: { name: text, weightsPath: text },
    run: { data: text, machine: text, date: text, version: text, seed: text },
    metrics: computeMetrics([{ labelIndex: 0, scores: [0, 1] }], [text, 'b']),
    clips: [{ name: text, trueLabel: text, predictions: [{ label: text, score: 1 }], frames: [pixel] }],
    commands: [{ what: text, command: text }],
    notes: [text],
  };
}

const tags = (page: string) => page.match(/<[^>]*>/g)?.map((tag) => /^<\/?[a-z0-9!]+/i.exec(tag)?.[0]) ?? [];

test('hostile text adds no tag, no attribute and no control character, wherever it stands', () => {
  const plain = tags(renderReport(everywhere('x')));
  const pieces = [
    '<script>',
    '</style>',
    '<img src=x onerror=alert(1)>',
    '"',
    "'",
    '>',
    '<!--',
    ']]>',
    '&',
    '&#60;',
    '\u0000',
    '\ud800',
    '\u202e',
    '`',
    '$&',
  ];
  fc.assert(
    fc.property(fc.array(fc.oneof(fc.constantFrom(...pieces), fc.string()), { minLength: 1, maxLength: 5 }), (parts) => {
      const text = parts.join('');
      if (text === '' || text === 'b') return;
      const page = renderReport(everywhere(text));
      assert.deepEqual(tags(page), plain);
      assert.ok(!/(?![\t\n\r])\p{Cc}|\p{Surrogate}/u.test(page));
    }),
    { numRuns: 300 },
  );
});

test('html escapes values and nests its own', () => {
  const inner = html`<b>${'<&>"\''}</b>`;
  assert.equal(html`${[inner, ' & ', 1]}${undefined}${null}`.markup, '<b>&lt;&amp;&gt;&quot;&#39;</b> &amp; 1');
  assert.equal(html`<p title="${'" onclick="x'}">`.markup, '<p title="&quot; onclick=&quot;x">');
});
