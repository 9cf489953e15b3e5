/** Nothing outside src/models/ names a network, its tensors or its own fields; comments count too. */
import assert from 'node:assert/strict';
import { readdirSync, readFileSync } from 'node:fs';
import { test } from 'node:test';
import { commonFields } from '../src/models/config.js';
import type { Model } from '../src/models/model.js';
import { inventoryOf } from '../src/models/network.js';
import { models } from '../src/models/registry.js';

/** Fields that all families have. */
const common = new Set([...Object.keys(commonFields), 'family', 'causal']);
const everyday = new Set(['head', 'tokens', 'features', 'classifier']);

interface Forbidden {
  readonly pattern: RegExp;
  readonly what: string;
}

const literal = (text: string): string => text.replace(/[.*+?^${}()|[\]\\]/g, '\\$&');

function namesOf(model: Model): Forbidden[] {
  const config = model.variants[0]?.build();
  assert.ok(config);
  const variants = model.variants.map(({ name }) => ({
    pattern: `(?<![\\w-])${literal(name)}(?![\\w-])`,
    what: `variant ${name}`,
  }));
  const tensors = inventoryOf(config).parameters.map(({ name }) => name);
  const roots = [
    ...new Set([...tensors, ...model.parts(config).map(({ name }) => name)].map((name) => name.split('.')[0] ?? '')),
  ];
  const found = [
    { pattern: `family['"]?\\s*[:=]+\\s*['"\`]${literal(model.family)}\\b`, what: `family ${model.family}` },
    ...variants,
    ...Object.keys(config)
      .filter((field) => !common.has(field))
      .flatMap((field) => [
        { pattern: `\\b[cC]onfig(\\(\\))?\\??\\.${field}\\b`, what: `field ${field}` },
        { pattern: `\\{[^{}=]*\\b${field}\\b[^{}=]*\\} = [\\w.]*[cC]onfig\\b`, what: `field ${field}` },
      ]),
    ...tensors
      .filter((name) => name.includes('.'))
      .map((name) => ({ pattern: `(?<![\\w.])${literal(name)}(?![\\w(])`, what: `tensor ${name}` })),
    ...roots.map((root) => ({ pattern: `(['"\`]|/\\^)\\(?${root}\\\\?\\.(?!js)`, what: `tensors of ${root}` })),
    ...roots.filter((root) => !everyday.has(root)).map((root) => ({ pattern: `['"\`]${root}['"\`]`, what: `part ${root}` })),
  ];
  return found.map(({ pattern, what }) => ({ pattern: new RegExp(pattern), what }));
}

/** A network in an ONNX file has neither variants nor tensors of its own. */
const forbidden = models.filter(({ variants }) => variants.length > 0).flatMap(namesOf);

const hits = (text: string): string[] => forbidden.filter(({ pattern }) => pattern.test(text)).map(({ what }) => what);

test('no file outside src/models/ names a network, its tensors or its fields', () => {
  const files = readdirSync('src', { recursive: true, encoding: 'utf8' }).filter(
    (file) => file.endsWith('.ts') && !file.endsWith('.test.ts') && !/^models[/\\]/.test(file),
  );
  assert.ok(files.length > 200);
  const found = files.flatMap((file) =>
    readFileSync(`src/${file}`, 'utf8')
      .split('\n')
      .flatMap((line, i) => hits(line).map((what) => `src/${file}:${i + 1}: ${what}: ${line.trim()}`)),
  );
  assert.deepEqual(found, []);
});

test('it would be seen', () => {
  for (const line of [
    "    dropout: input('dropout', [clips, config.head]),",
    'const { blocks, tokens, tokenDim } = best.config;',
    "  if (name.startsWith('head.') || name === 'x') return 0;",
    'const [, number] = /^blocks\\.(\\d+)\\./.exec(name) ?? [];',
    'fits = sameLabels || !/^head\\.(fc2|linear)\\./.test(name);',
    "places.find(({ name }) => name === 'bridge')",
    "const base = networkConfig(model ?? 'vmf-0.1g');",
    '// which makes vmf-2g and vmf-4g 10 to 15 % faster',
    "values.get('features.3.conv.1.weight')",
    "if (config.family === 'mobilenet-v2-3d') return;",
  ])
    assert.notDeepEqual(hits(line), [], line);
});
