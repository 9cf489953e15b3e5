/** Names the action in a video: node dist/examples/recogniseFile.js clip.mp4 run/best.safetensors */
import { loadRecogniser } from 'video-mobile-former';

const [video = 'clip.mp4', weights = 'run/best.safetensors'] = process.argv.slice(2);

const recogniser = await loadRecogniser(weights);
const { predictions } = await recogniser.recognise(video, { top: 3 });
for (const { label, score } of predictions) console.log(`${(100 * score).toFixed(1)} %  ${label}`);
await recogniser.close();
