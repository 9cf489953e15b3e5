// Packs the npm package, installs it in an empty folder, type-checks a consumer, imports it as ESM and CommonJS, and runs the
// command.
import { spawnSync } from 'node:child_process';
import { cpSync, mkdirSync, mkdtempSync, readdirSync, readFileSync, rmSync, statSync, writeFileSync } from 'node:fs';
import { createRequire } from 'node:module';
import { tmpdir } from 'node:os';
import { join, resolve } from 'node:path';

const root = resolve(import.meta.dirname, '..');
const folder = mkdtempSync(join(tmpdir(), 'vmf-pack-'));
const windows = process.platform === 'win32';

function run(what, command, args, cwd = folder) {
  const env = { ...process.env, ONNXRUNTIME_NODE_INSTALL: 'skip' };
  const { status, stdout, stderr, error } = spawnSync(command, args, { cwd, env, encoding: 'utf8', shell: windows });
  if (status === 0) {
    console.log(`ok: ${what}`);
    return stdout.trim();
  }
  throw new Error(`${what}: ${command} ${args.join(' ')} ended with ${status ?? error}\n${stdout}${stderr}`);
}

const node = (what, ...args) => run(what, process.execPath, args);

function expect(what, got, wanted) {
  if (!wanted.test(got)) throw new Error(`${what}: expected ${wanted}, got ${JSON.stringify(got)}`);
}

function bytesBelow(path) {
  return readdirSync(path, { recursive: true, withFileTypes: true })
    .filter((entry) => entry.isFile())
    .reduce((sum, { parentPath, name }) => sum + statSync(join(parentPath, name)).size, 0);
}

const megabytes = (path) => `${(bytesBelow(path) / 2 ** 20).toFixed(0)} MB`;

function install() {
  const [{ filename, size }] = JSON.parse(run('npm pack', 'npm', ['pack', '--json', '--pack-destination', folder], root));
  writeFileSync(join(folder, 'package.json'), '{ "private": true, "type": "module" }\n');
  run('npm install', 'npm', ['install', '--no-audit', '--no-fund', '--prefer-offline', `./${filename}`]);
  const modules = join(folder, 'node_modules');
  const parts = ['onnxruntime-node', '@seydx', '@napi-rs', 'mediabunny', 'valibot', 'video-mobile-former'];
  const largest = parts.flatMap((part) => {
    try {
      return `${part} ${megabytes(join(modules, part))}`;
    } catch {
      return []; // an optional package that this platform does without
    }
  });
  console.log(`tarball ${(size / 2 ** 20).toFixed(2)} MB; installed ${megabytes(modules)}: ${largest.join(', ')}`);
}

/** Sources are not shipped: maps must embed them. */
function checkMaps() {
  const installed = join(folder, 'node_modules/video-mobile-former');
  const maps = readdirSync(installed, { recursive: true }).filter((name) => name.endsWith('.map'));
  const empty = maps.filter((name) => {
    const { sources, sourcesContent = [] } = JSON.parse(readFileSync(join(installed, name), 'utf8'));
    return sourcesContent.length !== sources.length;
  });
  if (empty.length > 0) throw new Error(`${empty.length} source maps without their sources, such as ${empty[0]}`);
  console.log(`ok: ${maps.length} source maps, each with its sources`);
}

function subpaths() {
  const { exports } = JSON.parse(readFileSync(join(root, 'package.json'), 'utf8'));
  const entries = Object.keys(exports).filter((key) => key !== '.' && !key.endsWith('.json') && !key.includes('*'));
  return entries.map((key) => `video-mobile-former${key.slice(1)}`);
}

function checkTypes() {
  writeFileSync(
    join(folder, 'consumer.ts'),
    `import { loadRecogniser, openStream, train, VideoError, type NetworkConfig, type Prediction } from 'video-mobile-former';
export async function best(path: string): Promise<Prediction | undefined> {
  const recogniser = await loadRecogniser('weights.safetensors');
  const { predictions } = await recogniser.recognise(path);
  await recogniser.close();
  return predictions[0];
}
${subpaths()
  .map((path, i) => `import * as entry${i} from '${path}';\nconsole.log(entry${i});\n`)
  .join('')}
export const known: readonly unknown[] = [openStream, train, VideoError];
export type Config = NetworkConfig;
`,
  );
  const tsc = createRequire(import.meta.url).resolve('typescript/lib/tsc.js');
  const strict = ['--noEmit', '--strict', '--skipLibCheck', 'false', '--target', 'es2022', '--lib', 'es2023,dom'];
  for (const [module, resolution] of [
    ['nodenext', 'nodenext'],
    ['esnext', 'bundler'],
  ]) {
    node(`types under ${resolution}`, tsc, ...strict, '--module', module, '--moduleResolution', resolution, 'consumer.ts');
  }
}

function checkImports() {
  writeFileSync(join(folder, 'common.cjs'), "import('video-mobile-former').then((m) => console.log(typeof m.loadRecogniser));\n");
  expect('import() from CommonJS', node('import() from CommonJS', 'common.cjs'), /^function$/);
  mkdirSync(join(folder, 'examples'));
  cpSync(join(root, 'dist/examples'), join(folder, 'examples'), { recursive: true });
  expect(
    'example ownNetwork',
    node('example ownNetwork', 'examples/ownNetwork.js'),
    /^\d+ parameters, \d+ multiply-adds a clip\n/,
  );
}

function checkPretrained() {
  const code = `import { fromPretrained, pretrainedWeights } from 'video-mobile-former';
for (const { name, bytes } of pretrainedWeights) {
  const recogniser = await fromPretrained(name);
  console.log(name, bytes, recogniser.labels.length, import.meta.resolve(\`video-mobile-former/pretrained/\${name}.safetensors\`));
  await recogniser.close();
}
console.log(pretrainedWeights.length, 'pretrained weights');
`;
  writeFileSync(join(folder, 'pretrained.mjs'), code);
  const out = node('pretrained weights', 'pretrained.mjs');
  expect('pretrained weights', out, /^(\S+ \d+ \d+ file:\S+\n)*\d+ pretrained weights$/);
  console.log(out);
}

/** The README's library example with one epoch. */
function checkLibraryExample() {
  const vmf = join(folder, 'node_modules/video-mobile-former/dist/src/cli/main.js');
  node('vmf synth', vmf, 'synth', 'clips', '--train', '24', '--val', '12', '--test', '12');
  const [, text] = readFileSync(join(root, 'README.md'), 'utf8').match(/```ts\n([\s\S]*?)```/);
  const [, video] = readdirSync(join(folder, 'clips/test'), { recursive: true }).sort();
  const code = text.replace('epochs: 30', 'epochs: 1').replace('new.mp4', `clips/test/${video.replaceAll('\\', '/')}`);
  writeFileSync(join(folder, 'library.mjs'), code);
  expect("the README's library example", node("the README's library example", 'library.mjs'), /^[a-z-]+ [01]\.\d{3}\n/);
}

try {
  install();
  checkMaps();
  checkTypes();
  checkImports();
  checkPretrained();
  const { version } = JSON.parse(readFileSync(join(root, 'package.json'), 'utf8'));
  expect('npx vmf --version', run('npx vmf --version', 'npx', ['--no-install', 'vmf', '--version']), new RegExp(`^${version}$`));
  checkLibraryExample();
} finally {
  rmSync(folder, { recursive: true, force: true, maxRetries: 3 });
}
