/** Checks nodeAvTypes.ts against the installed node-av: its declarations, by the compiler, and its exports at run time. */
import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import { createRequire } from 'node:module';
import { dirname, join } from 'node:path';
import { describe, test } from 'node:test';
import { fileURLToPath } from 'node:url';
import ts from 'typescript';
import { loadNodeAv, nodeAvVersion } from './nodeAvLibrary.js';

const av = loadNodeAv();

const typesPath = fileURLToPath(new URL('./nodeAvTypes.d.ts', import.meta.url));
const claimPath = fileURLToPath(new URL('./nodeAvClaim.ts', import.meta.url));
const claim = `
  import type * as Constants from 'node-av/constants';
  import type * as Library from 'node-av/lib';
  import type * as Known from './nodeAvTypes.js';
  declare const real: typeof Library & typeof Constants;
  export const known: Known.NodeAv = real;
  declare const [codec, filter, stream]: [Library.Codec, Library.Filter, Library.Stream];
  export const others: [Known.Codec, Known.Filter, Known.Stream] = [codec, filter, stream];`;

function programOf(text: string): ts.Program {
  const options: ts.CompilerOptions = {
    strict: true,
    noEmit: true,
    skipLibCheck: true,
    target: ts.ScriptTarget.ES2023,
    module: ts.ModuleKind.NodeNext,
    moduleResolution: ts.ModuleResolutionKind.NodeNext,
    types: ['node'],
  };
  const host = ts.createCompilerHost(options);
  const { fileExists, readFile } = host;
  host.fileExists = (path) => path === claimPath || fileExists(path);
  host.readFile = (path) => (path === claimPath ? text : readFile(path));
  return ts.createProgram([claimPath, typesPath], options, host);
}

function complaintsOf(program: ts.Program): string[] {
  const found = ts.getPreEmitDiagnostics(program);
  return found.map(({ messageText }) => ts.flattenDiagnosticMessageText(messageText, '\n'));
}

function interfacesOf(program: ts.Program): Map<string, string[]> {
  const checker = program.getTypeChecker();
  const file = program.getSourceFile(typesPath);
  const symbol = file && checker.getSymbolAtLocation(file);
  assert.ok(symbol !== undefined, typesPath);
  const members = (type: ts.Type) => type.getProperties().map(({ name }) => name);
  return new Map(
    checker.getExportsOfModule(symbol).map((each) => [each.name, members(checker.getDeclaredTypeOfSymbol(each))] as const),
  );
}

describe('the hand-written types of node-av', { skip: typeof av === 'string' && `node-av: ${av}` }, () => {
  const program = programOf(claim);

  test('describe the version that is installed', () => {
    const entry = createRequire(import.meta.url).resolve('node-av/lib');
    const { version } = JSON.parse(readFileSync(join(dirname(entry), '../../package.json'), 'utf8')) as { version: string };
    assert.equal(version, nodeAvVersion);
  });

  test("agree with node-av's own", () => {
    assert.deepEqual(complaintsOf(program), []);
  });

  test('name nothing that is not there at run time', () => {
    const real = new Map<string, unknown>(Object.entries(av));
    const interfaces = interfacesOf(program);
    const missing = (interfaces.get('NodeAv') ?? ['NodeAv']).filter((name) => real.get(name) === undefined);
    let classes = 0;
    for (const [name, members] of interfaces) {
      const found = real.get(name);
      if (typeof found !== 'function') continue;
      classes++;
      const instance: object = name === 'Rational' ? Reflect.construct(found, [1, 2]) : found.prototype;
      const own = members.filter((member) => !member.startsWith('__@') && !(member in instance));
      missing.push(...own.map((member) => `${name}.${member}`));
    }
    assert.deepEqual(missing, []);
    assert.equal(classes, 12);
  });
});
