// The size of the browser entry, without models and without ONNX Runtime: npm run size. Fails when it needs anything of Node.
import { gzipSync } from 'node:zlib';
import { bundleBrowser } from './bundleBrowser.mjs';

const runtime = ['onnxruntime-web', 'onnxruntime-web/*'];
for (const { name, contents } of await bundleBrowser(['dist/src/web/index.js', 'dist/src/web/runtimeWorker.js'], runtime)) {
  const kb = (bytes) => `${(bytes / 1000).toFixed(1)} kB`;
  if (/\bfrom ?["']node:|import\(["']node:/.test(new TextDecoder().decode(contents)))
    throw new Error(`${name} imports from node:`);
  console.log(`${name}: ${kb(contents.length)}, ${kb(gzipSync(contents, { level: 9 }).length)} gzip`);
}
