/** A copy of the built package with pretrained weights of a test's own. */
import assert from 'node:assert/strict';
import { spawnSync } from 'node:child_process';
import { cpSync, mkdirSync, readFileSync, symlinkSync, writeFileSync } from 'node:fs';
import { join, resolve } from 'node:path';
import ts from 'typescript';
import { finished, type Result, start } from './vmf.js';

const catalogue = 'models/pretrainedCatalogue';

export class PackageCopy {
  /** An empty folder becomes a package without pretrained weights. */
  constructor(readonly root: string) {
    for (const path of ['package.json', 'recipes', 'scripts/addPretrained.mjs'])
      cpSync(path, join(root, path), { recursive: true });
    cpSync('dist/src', join(root, 'dist/src'), { recursive: true, filter: (path) => !/[.](map|d[.]ts|test[.]js)$/.test(path) });
    symlinkSync(resolve('node_modules'), join(root, 'node_modules'), 'junction');
    mkdirSync(join(root, `src/models`), { recursive: true });
    const lines = readFileSync(`src/${catalogue}.ts`, 'utf8').split('\n');
    this.writeCatalogue(lines.filter((line) => !line.startsWith('  { name: ')).join('\n'));
  }

  get catalogue(): string {
    return readFileSync(join(this.root, `src/${catalogue}.ts`), 'utf8');
  }

  private writeCatalogue(text: string): void {
    writeFileSync(join(this.root, `src/${catalogue}.ts`), text);
    const options = { module: ts.ModuleKind.ESNext, target: ts.ScriptTarget.ES2023 };
    writeFileSync(join(this.root, `dist/src/${catalogue}.js`), ts.transpileModule(text, { compilerOptions: options }).outputText);
  }

  /** Runs scripts/addPretrained.mjs; with success the package is as if built anew. */
  add(...args: readonly string[]): { readonly code: number | null; readonly out: string; readonly err: string } {
    const script = join(this.root, 'scripts/addPretrained.mjs');
    const { status, stdout, stderr } = spawnSync(process.execPath, [script, ...args], { encoding: 'utf8' });
    this.writeCatalogue(this.catalogue);
    return { code: status, out: stdout, err: stderr };
  }

  vmf(cwd: string, ...args: readonly string[]): Promise<Result> {
    return finished(start(args, cwd, join(this.root, 'dist/src/cli/main.js')));
  }

  /** Exit code 2, nothing on stdout, and a last line on stderr that matches. */
  async refuses(cwd: string, args: readonly string[], reason: RegExp): Promise<void> {
    const { code, out, err } = await this.vmf(cwd, ...args);
    assert.match(err.trimEnd().split('\n').at(-1) ?? '', reason, args.join(' '));
    assert.deepEqual([code, out], [2, ''], args.join(' '));
  }

  /** A module of the copy, such as web/index.js. */
  async module<T>(path: string): Promise<T> {
    return (await import(join(this.root, 'dist/src', path))) as T;
  }
}
