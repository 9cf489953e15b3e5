/** Writes ActivityNet's truth, or its results where every moment has a score. */
import type { AnnotatedFilm, Annotations, Moment } from './annotations.js';
import { labelsOf } from './films.js';
import type { Written } from './format.js';
import { allScored, scoresLost } from './predictions.js';

export function writeActivityNet(annotations: Annotations): Written {
  const predicted = allScored(annotations);
  const value = predicted ? resultsOf(annotations) : truthOf(annotations);
  return {
    files: [{ name: '', content: `${JSON.stringify(value, null, 1)}\n` }],
    losses: predicted ? splitsLost(annotations) : scoresLost(annotations),
  };
}

const splitsLost = ({ films }: Annotations): Written['losses'] => {
  const count = films.filter(({ split }) => split !== undefined).length;
  return count === 0 ? [] : [{ count, what: 'films with a split', moments: false }];
};

const subsets = { train: 'training', val: 'validation', test: 'testing' } as const;

/** Objects by film: a film that comes twice has the moments of both. `fromEntries` keeps names like "__proto__". */
function byFilm<Value>(
  films: readonly AnnotatedFilm[],
  valueIn: (films: readonly AnnotatedFilm[]) => Value,
): Record<string, Value> {
  const grouped = new Map(films.map(({ film }) => [film, [] as AnnotatedFilm[]]));
  for (const film of films) grouped.get(film.film)?.push(film);
  return Object.fromEntries([...grouped].map(([film, same]) => [film, valueIn(same)]));
}

function truthOf(annotations: Annotations): object {
  return {
    version: 'VERSION 1.3',
    taxonomy: taxonomyOf(labelsOf(annotations)),
    database: byFilm(annotations.films, (same) => {
      const { durationSec, fps, split } = Object.assign({}, ...same) as AnnotatedFilm;
      return {
        ...(durationSec !== undefined && { duration: durationSec }),
        ...(fps !== undefined && { fps }),
        ...(split !== undefined && { subset: subsets[split] }),
        annotations: momentsOf(same).flatMap(segmentsOf),
      };
    }),
  };
}

function resultsOf({ films }: Annotations): object {
  const scored = (moment: Moment) => segmentsOf(moment).map((segment) => ({ ...segment, score: moment.score }));
  return {
    version: 'VERSION 1.3',
    results: byFilm(films, (same) => momentsOf(same).flatMap(scored)),
    external_data: {},
  };
}

const momentsOf = (films: readonly AnnotatedFilm[]): Moment[] => films.flatMap(({ moments }) => moments);

/** One segment a label: several labels of a moment share their span. */
const segmentsOf = ({ startSec, endSec, labels }: Moment) => labels.map((label) => ({ segment: [startSec, endSec], label }));

function taxonomyOf(labels: readonly string[]): object[] {
  const root = { nodeId: 0, nodeName: 'Root', parentId: null, parentName: null };
  return [root, ...labels.map((nodeName, i) => ({ nodeId: i + 1, nodeName, parentId: 0, parentName: 'Root' }))];
}
