/** Writes Label Studio tasks: annotations, or predictions where every moment has a score. */
import type { AnnotatedFilm, Annotations, Moment } from '../annotations.js';
import type { WriteChoices, Written } from '../format.js';
import { allScored, scoresLost } from '../predictions.js';
import { Tally } from '../reduce.js';
import { isOffGrid, offGrid } from '../span.js';
import { defaultFrameRate } from './config.js';

/** Times lie on the grid of `fps`, by default Label Studio's own; the project's `<Video name="video" frameRate="..">` must agree. */
export function writeLabelStudio(annotations: Annotations, { fps = defaultFrameRate }: WriteChoices): Written {
  const tally = new Tally();
  const predicted = allScored(annotations);
  const tasks = annotations.films.map((film, i) => {
    const result = film.moments.flatMap((moment, k) => resultsOf(moment, `f${i + 1}m${k + 1}`, { fps, tally, predicted }));
    return taskOf(film, result, predicted);
  });
  const losses = [...tally.losses(), ...(predicted ? [] : scoresLost(annotations))];
  return { files: [{ name: '', content: `${JSON.stringify(tasks, null, 1)}\n` }], losses };
}

function taskOf({ film }: AnnotatedFilm, result: readonly object[], predicted: boolean): object {
  const versions = predicted
    ? { predictions: [{ model_version: 'video-mobile-former', result }] }
    : { annotations: [{ result }] };
  return { data: { video: film }, ...versions };
}

interface Grid {
  readonly fps: number;
  readonly tally: Tally;
  readonly predicted: boolean;
}

const ownControls = ['subject', 'comment'];

/** The region, and a text for the subject and for each attribute, which share its id. */
function resultsOf(moment: Moment, id: string, { fps, tally, predicted }: Grid): object[] {
  const ranges = [rangeOf(moment, fps, tally)];
  const attributes = Object.entries(moment.attributes ?? {}).filter(([name]) => !ownControls.includes(name));
  const lost = Object.keys(moment.attributes ?? {}).length - attributes.length;
  if (lost > 0) tally.add('attributes called subject or comment', false, lost);
  const texts = [...(moment.subject === undefined ? [] : [['subject', moment.subject] as const]), ...attributes];
  const region = {
    id,
    from_name: 'label',
    to_name: 'video',
    type: 'timelinelabels',
    value: { ranges, timelinelabels: moment.labels },
  };
  return [
    {
      ...region,
      ...(predicted && { score: moment.score }),
      ...(moment.comment !== undefined && { meta: { text: [moment.comment] } }),
    },
    ...texts.map(([name, text]) => ({
      id,
      from_name: name,
      to_name: 'video',
      type: 'textarea',
      value: { ranges, text: [text] },
    })),
  ];
}

/** Frames from 1, both ends included, at least one. */
function rangeOf({ startSec = 0, endSec = startSec }: Moment, fps: number, tally: Tally): { start: number; end: number } {
  const start = Math.round(startSec * fps) + 1;
  const end = Math.round(endSec * fps);
  if (end < start) tally.add('moments shorter than a frame, now one frame long');
  else if (isOffGrid(startSec, fps) || isOffGrid(endSec, fps)) tally.add(offGrid);
  return { start, end: Math.max(start, end) };
}
