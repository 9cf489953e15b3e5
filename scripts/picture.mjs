// The README's picture: clips out of a demo's report, with the answers of the network. node scripts/picture.mjs demo/report.html docs/actions.jpg
import { readFileSync, writeFileSync } from 'node:fs';
import { createCanvas, loadImage } from '@napi-rs/canvas';

const [report = 'demo/report.html', out = 'docs/actions.jpg', ...wanted] = process.argv.slice(2);
const shown = wanted.length > 0 ? wanted : ['wave', 'sit-down', 'pick-up', 'kick'];
const [cell, gap, left, rightSide] = [104, 4, 12, 230];
const framesShown = 6;

function readClips(html) {
  return [...html.matchAll(/<article class="clip">([\s\S]*?)<\/article>/g)].map(([, text]) => ({
    label: text.match(/<h4><bdi>(.*?)<\/bdi>/)[1],
    right: text.includes('mark right'),
    frames: [...text.matchAll(/src="(data:image\/jpeg;base64,[^"]+)"/g)].map(([, url]) => url),
    answers: [...text.matchAll(/--share:([\d.]+)"><bdi>(.*?)<\/bdi>/g)].map(([, share, name]) => ({
      name,
      share: Number(share),
    })),
  }));
}

function choose(clips) {
  const right = shown.flatMap((label) => clips.find((clip) => clip.label === label && clip.right) ?? []);
  return [...right, ...clips.filter((clip) => !clip.right).slice(0, 1)];
}

async function drawClip(context, { label, right, frames, answers }, top) {
  const step = (frames.length - 1) / (framesShown - 1);
  for (let i = 0; i < framesShown; i++) {
    const image = await loadImage(Buffer.from(frames[Math.round(i * step)].split(',')[1], 'base64'));
    const edge = Math.min(image.width, image.height);
    const [x, y] = [(image.width - edge) / 2, (image.height - edge) / 2];
    context.drawImage(image, x, y, edge, edge, left + i * (cell + gap), top, cell, cell);
  }
  const x = left + framesShown * (cell + gap) + 12;
  context.font = 'bold 15px sans-serif';
  context.fillStyle = '#1a1a1a';
  context.fillText(right ? label : `${label}, taken for ${answers[0].name}`, x, top + 18);
  for (const [i, answer] of answers.entries()) drawAnswer(context, answer, answer.name === label, x, top + 30 + i * 24);
}

function drawAnswer(context, { name, share }, isTrue, x, y) {
  context.fillStyle = '#e8e8ec';
  context.fillRect(x, y, rightSide - 24, 20);
  context.fillStyle = isTrue ? '#2f8f5b' : '#b4446c';
  context.fillRect(x, y, Math.max(2, (rightSide - 24) * share), 20);
  context.font = '12px sans-serif';
  context.fillStyle = share > 0.5 ? '#ffffff' : '#333333';
  context.fillText(`${name}  ${share < 0.005 ? '<1' : share < 1 ? Math.min(99, Math.round(100 * share)) : 100} %`, x + 6, y + 14);
}

const clips = choose(readClips(readFileSync(report, 'utf8')));
const canvas = createCanvas(left + framesShown * (cell + gap) + rightSide, clips.length * (cell + 8) + 8);
const context = canvas.getContext('2d');
context.fillStyle = '#ffffff';
context.fillRect(0, 0, canvas.width, canvas.height);
for (const [i, clip] of clips.entries()) await drawClip(context, clip, 8 + i * (cell + 8));
const bytes = canvas.toBuffer('image/jpeg', 82);
writeFileSync(out, bytes);
console.log(`${out}: ${canvas.width} x ${canvas.height}, ${bytes.length} bytes, ${clips.map(({ label }) => label).join(', ')}`);
