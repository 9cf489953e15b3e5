// Bundles the browser entry and its worker without ONNX Runtime's WebAssembly files.
import { build } from 'esbuild';

/** Bytes of each file, by name. */
export async function bundleBrowser(entries, external = []) {
  const { outputFiles } = await build({
    entryPoints: entries,
    bundle: true,
    format: 'esm',
    platform: 'browser',
    target: 'es2022',
    minify: true,
    write: false,
    outdir: 'out',
    splitting: true, // what reads videos is loaded with the first one
    external,
    conditions: ['onnxruntime-web-use-extern-wasm'],
    logLevel: 'warning',
  });
  return outputFiles.map(({ path, contents }) => ({ name: path.split(/[\\/]/).at(-1), contents }));
}
