// node scripts/addPretrained.mjs FILE NAME --card CARD.md [--terms TEXT] [--knows TEXT] [--videos FOLDER], after a build: see pretrained/README.md.
import { createHash } from 'node:crypto';
import { copyFileSync, existsSync, mkdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { join, resolve } from 'node:path';
import { parseArgs } from 'node:util';
import { videosBelow } from '../dist/src/dataset/folders.js';
import { exportSafetensors } from '../dist/src/export/exportWeights.js';
import { loadRecogniser } from '../dist/src/inference/fileRecogniser.js';
import { networksOf, pretrainedFor } from '../dist/src/models/pretrained.js';
import { networkNames } from '../dist/src/models/registry.js';
import { parseCheckpoint } from '../dist/src/weights/checkpoint.js';
import { readSafetensors } from '../dist/src/weights/files.js';

const maxBytes = 20e6;
const leastAgreement = 0.99;
const sections = ['Data and terms', 'Training', 'Use', 'Limits'];

const root = resolve(import.meta.dirname, '..');
const folder = join(root, 'pretrained');
const catalogue = join(root, 'src/models/pretrainedCatalogue.ts');
const { values, positionals } = parseArgs({
  allowPositionals: true,
  options: { card: { type: 'string' }, terms: { type: 'string' }, knows: { type: 'string' }, videos: { type: 'string' } },
});

function refuse(reason) {
  console.error(`addPretrained: ${reason}`);
  process.exit(2);
}

function networkOf(config) {
  const fits = networkNames.filter((network) => pretrainedFor(config, [{ network }]));
  if (fits.length === 0) refuse(`${config.name}: no named network has these tensors`);
  return fits.includes(config.name) ? config.name : fits[0];
}

function checkedCard(path) {
  if (!existsSync(path)) refuse(`${path}: no such card; --card names one`);
  const text = readFileSync(path, 'utf8');
  const missing = sections.filter((title) => !new RegExp(`^## ${title}$`, 'm').test(text));
  if (missing.length > 0) refuse(`${path}: the card lacks ${missing.map((title) => `"## ${title}"`).join(', ')}`);
}

function checkNotes(notes) {
  for (const [key, value] of Object.entries(notes))
    if (/(^|\s)(\/|~\/|[A-Za-z]:\\)\S/.test(value)) refuse(`its note "${key}" tells a path of a machine: ${value}`);
}

async function answers(weights, videos) {
  const recogniser = await loadRecogniser(weights, { mode: 'throughput' });
  try {
    const out = [];
    for await (const answer of recogniser.recogniseMany(videos, { top: 1 })) out.push(answer.predictions?.[0]);
    return out;
  } finally {
    await recogniser.close();
  }
}

/** Share of the videos that both files name alike. */
async function compared(original, made, videosFolder) {
  const { paths } = videosBelow(videosFolder);
  if (paths.length === 0) refuse(`${videosFolder}: no videos`);
  const [before, after] = [await answers(original, paths), await answers(made, paths)];
  const read = before.flatMap((answer, i) => (answer && after[i] ? [[answer, after[i]]] : []));
  const alike = read.filter(([a, b]) => a.label === b.label).length;
  const apart = Math.max(...read.map(([a, b]) => Math.abs(a.score - b.score)));
  console.log(`${alike} of ${read.length} videos get the same label; scores differ by at most ${apart.toPrecision(2)}`);
  return alike / read.length;
}

function addToCatalogue(entry) {
  const end = '  // end of the catalogue\n';
  const others = readFileSync(catalogue, 'utf8')
    .split('\n')
    .filter((each) => !each.startsWith(`  { name: '${entry.name}', `));
  const quoted = (text) => `'${JSON.stringify(text).slice(1, -1).replaceAll('\\"', '"').replaceAll("'", "\\'")}'`;
  const line = `  { name: '${entry.name}', network: '${entry.network}', bytes: ${entry.bytes}, sha256: '${entry.sha256}', knows: ${quoted(entry.knows)}, terms: ${quoted(entry.terms)} },\n`;
  writeFileSync(
    catalogue,
    others.join('\n').replace(end, () => `${line}${end}`),
  );
}

const [file, name] = positionals;
if (file === undefined || !/^[a-z0-9][a-z0-9.-]{0,60}$/.test(name ?? '') || positionals.length > 2)
  refuse('expected FILE NAME, a name of small letters, digits, dots and hyphens');
if (networkNames.includes(name) || ['default', 'none'].includes(name)) refuse(`${name}: has another meaning already`);
const { config, labels, notes } = parseCheckpoint(await readSafetensors(file), file);
checkNotes(notes);
const network = networkOf(config);
const card = join(folder, `${name}.md`);
checkedCard(values.card ?? card);

mkdirSync(folder, { recursive: true });
const path = join(folder, `${name}.safetensors`);
const { largestDifference, largestLogit } = await exportSafetensors(file, path, { fp16: true, force: true });
const content = readFileSync(path);
const agreement = values.videos === undefined ? 1 : await compared(file, path, values.videos);
if (content.length > maxBytes || agreement < leastAgreement) {
  rmSync(path);
  refuse(content.length > maxBytes ? `${content.length} bytes; at most ${maxBytes}` : 'float16 changes too many answers');
}
if (values.card !== undefined && resolve(values.card) !== card) copyFileSync(values.card, card);
const sha256 = createHash('sha256').update(content).digest('hex');
const knows =
  values.knows ?? `${labels.length} classes: ${labels.slice(0, 8).join(', ')}${labels.length > 8 ? ' and others' : ''}`;
addToCatalogue({ name, network, bytes: content.length, sha256, knows, terms: values.terms ?? 'see its card' });
console.log(`${path}: ${content.length} bytes, for ${networksOf({ network }).join(', ')}; knows ${knows}`);
console.log(
  `logits differ by at most ${largestDifference.toPrecision(2)} (up to ${largestLogit.toFixed(2)}); build again, then test`,
);
