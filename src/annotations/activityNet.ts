/**
 * ActivityNet's truth and results, and relatives without the level `database` or with other names of the same facts.
 * Source: activitynet/ActivityNet, Evaluation/eval_detection.py; open-mmlab/mmaction2, mmaction/datasets/activitynet_dataset.py.
 */
import { writeActivityNet } from './activityNetWriter.js';
import type { AnnotatedFilm, Annotations, Moment } from './annotations.js';
import { FilmCollector } from './films.js';
import type { AnnotationFile, AnnotationFormat } from './format.js';
import { JsonPlace } from './jsonPlace.js';
import { Scores, spanOf } from './span.js';
import { jsonOf, jsonOrNothing } from './text.js';

export const activityNet: AnnotationFormat = {
  name: 'activitynet',
  title: 'ActivityNet JSON',
  matches: (file) => {
    const root = new JsonPlace(jsonOrNothing(file), file.path);
    return root.key('database').isObject || isResults(root) || isBare(root);
  },
  read: readActivityNet,
  holds: {
    ...{ points: true, overlap: true, manyFilms: true, subject: false, comment: false, attributes: false },
    ...{ score: true, background: false, split: true, open: false },
  },
  write: writeActivityNet,
};

const isResults = (root: JsonPlace): boolean =>
  root.key('results').isObject && (root.has('version') || root.has('external_data') || root.keys().length === 1);

/** Films at the top level, as in mmaction2. */
function isBare(root: JsonPlace): boolean {
  const films = root.isObject ? root.entries().map(([, film]) => film.key('annotations')) : [];
  const isFilm = (moments: JsonPlace) => moments.isArray && moments.items().every((moment) => moment.has('segment'));
  return films.length > 0 && films.every(isFilm);
}

function readActivityNet(file: AnnotationFile): Annotations {
  const root = new JsonPlace(jsonOf(file), file.path);
  if (root.key('results').isObject && !root.has('database')) return readResults(root.key('results'));
  return readTruth(root, root.has('database') ? root.key('database') : root);
}

function readTruth(root: JsonPlace, database: JsonPlace): Annotations {
  const splits = splitsOf(database);
  const films = new FilmCollector();
  for (const [id, film] of database.entries()) {
    films.film(id, { ...factsOf(film), ...splits.of(film.key('subset')), where: film.where });
    for (const moment of film.key('annotations').someItems()) films.moment(id, momentOf(moment));
  }
  const labels = leavesOf(root.key('taxonomy'));
  return { films: films.films(), ...(labels.length > 0 && { labels }), notes: splits.notes };
}

function readResults(results: JsonPlace): Annotations {
  const films = new FilmCollector();
  const scores = new Scores();
  for (const [id, found] of results.entries()) {
    films.film(id, { where: found.where });
    for (const moment of found.items()) {
      films.moment(id, { ...momentOf(moment), ...scores.of(moment.key('score').someNumber()) });
    }
  }
  return { films: films.films(), notes: scores.notes() };
}

const ownKeys = ['segment', 'segment(frames)', 'label', 'label_id', 'score'];

function momentOf(moment: JsonPlace): Moment {
  const segment = moment.key('segment');
  const [start, end, ...more] = segment.items();
  if (start === undefined || end === undefined || more.length > 0) return segment.fail('expected a start and an end in seconds');
  const span = spanOf(start.number(), end.number(), segment.where);
  return { ...span, labels: [moment.key('label').text()], ...moment.attributes(ownKeys), where: moment.where };
}

function factsOf(film: JsonPlace): Pick<AnnotatedFilm, 'durationSec' | 'fps'> {
  const durationSec = film.firstKey('duration', 'duration_second').someNumber();
  const fps = film.firstKey('fps', 'rfps').someNumber();
  return { ...(durationSec !== undefined && { durationSec }), ...(fps !== undefined && { fps }) };
}

interface Splits {
  of(subset: JsonPlace): Pick<AnnotatedFilm, 'split'>;
  readonly notes: string[];
}

type Split = NonNullable<AnnotatedFilm['split']>;

const splitNames: ReadonlyMap<string, Split> = new Map<string, Split>([
  ['train', 'train'],
  ['training', 'train'],
  ['val', 'val'],
  ['valid', 'val'],
  ['validation', 'val'],
  ['test', 'test'],
  ['testing', 'test'],
]);

/** What the subsets of a file mean: without a training part, as in THUMOS, one trains on the validation part and tests on the test part. */
function splitsOf(database: JsonPlace): Splits {
  const subsets = database.entries().map(([, film]) => film.key('subset'));
  const named = subsets.map((subset) => subset.someText()?.toLowerCase()).filter((name) => name !== undefined);
  const present = new Set(named.map((name) => splitNames.get(name)));
  const thumos = !present.has('train') && present.has('val') && present.has('test') && named.includes('test');
  const unknown = [...new Set(named.filter((name) => !splitNames.has(name)))];
  return {
    of: (subset) => {
      const split = splitNames.get(subset.someText()?.toLowerCase() ?? '');
      return split === undefined ? {} : { split: thumos && split === 'val' ? 'train' : split };
    },
    notes: [
      ...(thumos ? ['no film is for training: the subset "validation" is used for it, as in THUMOS'] : []),
      ...(unknown.length > 0 ? [`subsets that are not known make no split: ${unknown.join(', ')}`] : []),
    ],
  };
}

/** The classes: nodes of the taxonomy that are no other's parent. */
function leavesOf(taxonomy: JsonPlace): string[] {
  const nodes = taxonomy.someItems();
  const parents = new Set(nodes.map((node) => node.key('parentName').someText()));
  return nodes.map((node) => node.key('nodeName').text()).filter((name) => !parents.has(name));
}
