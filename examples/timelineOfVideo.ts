/** Says what happens when in a long video: node dist/examples/timelineOfVideo.js film.mp4 run/best.safetensors */
import { loadRecogniser } from 'video-mobile-former';

const [video = 'film.mp4', weights = 'run/best.safetensors'] = process.argv.slice(2);

const recogniser = await loadRecogniser(weights);
const { segments } = await recogniser.timeline(video, { windowSec: 2, strideSec: 0.5 });
for (const { startSec, endSec, label, score } of segments) {
  console.log(`${startSec.toFixed(1)} s to ${endSec.toFixed(1)} s: ${label} (${(100 * score).toFixed(1)} %)`);
}
await recogniser.close();
