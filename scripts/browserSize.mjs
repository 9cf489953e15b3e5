// The size of the browser entry, without models and without ONNX Runtime: npm run size. Fails when it needs anything of Node.
import { gzipSync } from 'node:zlib';
import { bundleBrowser } from './bundleBrowser.mjs';

const runtime = ['onnxruntime-web', 'onnxruntime-web/*'];

async function size(entry, external) {
  let [bytes, gzip] = [0, 0];
  for (const { name, contents } of await bundleBrowser([entry], external)) {
    if (/\bfrom ?["']node:|import\(["']node:/.test(new TextDecoder().decode(contents)))
      throw new Error(`${name} imports from node:`);
    bytes += contents.length;
    gzip += gzipSync(contents, { level: 9 }).length;
  }
  return `${(bytes / 1000).toFixed(1)} kB, ${(gzip / 1000).toFixed(1)} kB gzip`;
}

const entry = 'dist/src/web/index.js';
console.log(`index.js without mediabunny: ${await size(entry, [...runtime, 'mediabunny'])}`);
console.log(`index.js with mediabunny, loaded with the first video: ${await size(entry, runtime)}`);
console.log(`runtimeWorker.js: ${await size('dist/src/web/runtimeWorker.js', runtime)}`);
