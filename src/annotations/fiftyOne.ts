/** FiftyOne's temporal detections. Source: voxel51/fiftyone, user guide on importing. */
import type { Annotations, Moment } from './annotations.js';
import { FilmCollector } from './films.js';
import type { AnnotationFile, AnnotationFormat, ReadChoices } from './format.js';
import { JsonPlace } from './jsonPlace.js';
import { gridFps, Scores, spanOf, spanOfFrames } from './span.js';
import { jsonOf, jsonOrNothing } from './text.js';

export const fiftyOne: AnnotationFormat = {
  name: 'fiftyone',
  title: 'FiftyOne temporal detections',
  matches: (file) => {
    const labels = new JsonPlace(jsonOrNothing(file), file.path).key('labels');
    const lists = labels.isObject ? labels.entries().filter(([, list]) => !list.isMissing) : [];
    return lists.length > 0 && lists.every(([, list]) => list.isArray && list.items().every(isDetection));
  },
  read: readFiftyOne,
};

const isDetection = (item: JsonPlace): boolean => item.has('label') && (item.has('support') || item.has('timestamps'));

const ownKeys = ['label', 'support', 'timestamps', 'confidence'];

function readFiftyOne(file: AnnotationFile, { fps }: ReadChoices): Annotations {
  const root = new JsonPlace(jsonOf(file), file.path);
  const classes = root.key('classes').isMissing
    ? undefined
    : root
        .key('classes')
        .items()
        .map((name) => name.text());
  const films = new FilmCollector();
  const scores = new Scores();
  for (const [stem, detections] of root.key('labels').entries()) {
    films.film(stem, { where: detections.where });
    for (const place of detections.someItems()) {
      const facts = { ...scores.of(place.key('confidence').someNumber()), ...place.attributes(ownKeys), where: place.where };
      films.moment(stem, { ...spanAt(place, fps), labels: [labelAt(place.key('label'), classes)], ...facts });
    }
  }
  return { films: films.films(), ...(classes !== undefined && { labels: classes }), notes: scores.notes() };
}

/** `support` is in frames from 1 with the last one included, `timestamps` in seconds. */
function spanAt(place: JsonPlace, fps: number | undefined): Pick<Moment, 'startSec' | 'endSec'> {
  const inFrames = place.key('timestamps').isMissing;
  const pair = place.key(inFrames ? 'support' : 'timestamps');
  const numbers = pair.items().map((item) => item.number());
  if (numbers.length !== 2) pair.fail(`expected a start and an end, got ${numbers.length} numbers`);
  if (!inFrames) return spanOf(numbers[0], numbers[1], pair.where);
  return spanOfFrames(numbers[0], numbers[1], gridFps(fps, 'its supports', pair.where), pair.where);
}

function labelAt(label: JsonPlace, classes: readonly string[] | undefined): string {
  if (classes === undefined || typeof label.value === 'string') return label.text();
  return classes[label.number()] ?? label.fail(`expected the index of one of ${classes.length} classes, got ${label.value}`);
}
