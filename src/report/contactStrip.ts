import { ConfigError } from '../errors.js';
import { type Html, html } from './html.js';
import type { ReportClip } from './reportData.js';
import { grouped, percent } from './reportText.js';

const shownPredictions = 3;
const pictureUri = /^data:image\/(png|jpeg|webp);base64,[A-Za-z0-9+/]+={0,2}$/;

type Verdict = 'right' | 'wrong' | 'open';

/** The clips in groups, each with a heading; `outOf` is the number of all clips tested. Throws `ConfigError` for a frame that is not a picture in a data URI. */
export function contactStrips(clips: readonly ReportClip[], outOf?: number): Html {
  const of = (wanted: Verdict) => clips.filter((clip) => verdict(clip) === wanted);
  const worstFirst = of('wrong').sort((a, b) => topScore(b) - topScore(a));
  const sample = outOf === undefined || outOf <= clips.length ? '' : `A sample: ${clips.length} of ${grouped(outOf)} clips. `;
  return html`<p class="muted">${sample}Beside the frames, in order of time: what the clip shows, and the network's first three answers.</p>
${group('Mistakes, worst first', worstFirst)}${group('Recognised', of('right'))}${group('Unlabelled', of('open'))}`;
}

function verdict({ trueLabel, predictions }: ReportClip): Verdict {
  if (trueLabel === undefined) return 'open';
  return predictions[0]?.label === trueLabel ? 'right' : 'wrong';
}

function topScore({ predictions }: ReportClip): number {
  return predictions[0]?.score ?? 0;
}

function group(heading: string, clips: readonly ReportClip[]): Html {
  if (clips.length === 0) return html``;
  return html`<h3>${heading} <span class="count">${clips.length}</span></h3>\n<div class="clips">${clips.map(card)}</div>`;
}

const marks: Readonly<Record<Verdict, Html>> = {
  right: html`<span class="mark right"><span aria-hidden="true">✓</span> right</span>`,
  wrong: html`<span class="mark wrong"><span aria-hidden="true">✗</span> wrong</span>`,
  open: html``,
};

function card(clip: ReportClip): Html {
  const truth = clip.trueLabel === undefined ? html`` : html`<bdi>${clip.trueLabel}</bdi>`;
  return html`<article class="clip">
${clip.frames.length > 0 ? contactStrip(clip.frames, clip.name) : ''}
<div class="answer"><h4>${truth}${marks[verdict(clip)]}</h4>
<ol class="bars">${clip.predictions.slice(0, shownPredictions).map((prediction) => bar(prediction, clip.trueLabel))}</ol>
<p class="path"><bdi>${clip.name}</bdi></p></div>
</article>\n`;
}

/** Frames beside each other. Throws as `contactStrips`. */
export function contactStrip(frames: readonly string[], name: string): Html {
  const label = `${frames.length} frames of ${name}`;
  return html`<div class="strip" style="--frames:${frames.length}" role="img" aria-label="${label}">${frames.map(frame)}</div>`;
}

function frame(uri: string, index: number): Html {
  if (!pictureUri.test(uri)) {
    throw new ConfigError(
      `report frame ${index} is ${JSON.stringify(uri.slice(0, 40))}; expected data:image/png, jpeg or webp in base64`,
    );
  }
  return html`<img src="${uri}" alt="" loading="lazy">`;
}

function bar({ label, score }: ReportClip['predictions'][number], truth: string | undefined): Html {
  const style = truth === undefined ? '' : label === truth ? 'right' : 'wrong';
  const share = Math.min(Math.max(score, 0), 1).toFixed(3);
  return html`<li class="${style}" style="--share:${share}"><bdi>${label}</bdi><span>${score > 0 && score < 0.005 ? `<\u202f${percent(0.01, 0)}` : percent(score, 0)}</span></li>\n`;
}
