/** Tasks of a Label Studio export, each with the one version of its annotation that counts. */
import { DatasetError } from '../../errors.js';
import { counted } from '../films.js';
import type { ReadChoices } from '../format.js';
import type { JsonPlace } from '../jsonPlace.js';
import { configOf, type LabelConfig } from './config.js';

/** One item of `result`: a region, or what is said of a region or of the whole clip. */
export interface Item {
  /** The control of the labelling configuration that made it: `from_name`. */
  readonly control: string;
  readonly type: string;
  /** Of its region: several items may share it. */
  readonly id: string | undefined;
  readonly value: JsonPlace;
  readonly score?: number;
  readonly comment?: string;
}

export interface Task {
  readonly data: JsonPlace;
  readonly items: readonly Item[];
  readonly config?: LabelConfig;
  readonly where: string;
}

export interface Tasks {
  readonly tasks: readonly Task[];
  readonly notes: readonly string[];
}

/** The work of one annotator, or of one model, on a task. */
export interface Version {
  /** The names that `--annotator` may give: id, e-mail, user name. */
  readonly by: readonly string[];
  /** Later ones replace earlier ones of the same annotator. */
  readonly date: string;
  readonly items: () => readonly Item[];
}

const versionKeys = ['annotations', 'completions', 'predictions'] as const;

/** Whether a value is a task, or the body of a webhook with one. */
export const isTask = (place: JsonPlace): boolean =>
  (place.key('data').isObject && versionKeys.some((key) => place.key(key).isArray)) ||
  (place.key('task').isObject && place.key('annotation').isObject);

interface RawTask {
  readonly task: JsonPlace;
  readonly annotations: readonly JsonPlace[];
  readonly predictions: readonly JsonPlace[];
  readonly config?: LabelConfig;
}

function rawTask(place: JsonPlace): RawTask {
  if (!place.key('task').isObject) return { task: place, ...listsOf(place) };
  const task = place.key('task');
  const config = place.key('project').key('label_config');
  return {
    ...{ task, annotations: [place.key('annotation')], predictions: [] },
    ...(!config.isMissing && { config: configOf(config.text(), config.where) }),
  };
}

function listsOf(place: JsonPlace): Pick<RawTask, 'annotations' | 'predictions'> {
  const annotations = place.firstKey('annotations', 'completions').someItems();
  return { annotations, predictions: place.key('predictions').someItems() };
}

/** Reads annotations; predictions only where the whole file has no annotation. */
export function readTasks(places: readonly JsonPlace[], { annotator }: ReadChoices, path: string): Tasks {
  const raw = places.map(rawTask);
  const cancelled = raw.flatMap(({ annotations }) => annotations.filter(isCancelled)).length;
  const made = raw.map(({ annotations }) => annotations.filter((annotation) => !isCancelled(annotation)));
  const predicted = made.every((annotations) => annotations.length === 0);
  const unread = predicted ? 0 : raw.flatMap(({ predictions }) => predictions).length;
  const choice = new VersionChoice(annotator);
  const tasks = raw.map(({ task, predictions, config }, i) => {
    const versions = predicted ? predictions.map(predictionVersion) : (made[i] ?? []).map(annotationVersion);
    const items = choice.of(versions, task.where);
    return { data: task.key('data'), items, ...(config !== undefined && { config }), where: task.where };
  });
  return {
    tasks,
    notes: [
      ...(cancelled > 0 ? [`${counted(cancelled, 'cancelled annotations')} left out`] : []),
      ...(unread > 0 ? [`${counted(unread, 'predictions')} beside annotations left out`] : []),
      ...choice.notes(path),
    ],
  };
}

const isCancelled = (annotation: JsonPlace): boolean =>
  annotation.key('was_cancelled').value === true || annotation.key('skipped').value === true;

const annotationVersion = (annotation: JsonPlace): Version => ({
  by: namesOf(annotation.key('completed_by')),
  date: annotation.firstKey('updated_at', 'created_at').someText() ?? '',
  items: () => itemsOf(annotation, undefined),
});

const predictionVersion = (prediction: JsonPlace): Version => ({
  by: [prediction.key('model_version').someText() ?? 'no name'],
  date: prediction.firstKey('updated_at', 'created_at').someText() ?? '',
  items: () => itemsOf(prediction, prediction.key('score').someNumber()),
});

/** A number, or an object with id, e-mail and user name. */
export function namesOf(by: JsonPlace): string[] {
  if (by.isMissing) return ['no name'];
  if (!by.isObject) return [by.text()];
  const names = ['email', 'username', 'id'].map((key) => by.key(key).someText()).filter((name) => name !== undefined);
  return names.length > 0 ? names : ['no name'];
}

function itemsOf(version: JsonPlace, score: number | undefined): Item[] {
  return version
    .key('result')
    .someItems()
    .map((item) => itemOf(item, score));
}

function itemOf(item: JsonPlace, ofAll: number | undefined): Item {
  const note = item.key('meta').key('text');
  const comment = note.isArray
    ? note
        .items()
        .map((part) => part.string())
        .join('\n')
    : note.someText();
  const score = item.key('score').someNumber() ?? ofAll;
  return {
    control: item.key('from_name').someText() ?? item.key('type').text(),
    type: item.key('type').text(),
    id: item.key('id').someText(),
    value: item.key('value'),
    ...(score !== undefined && { score }),
    ...(comment !== undefined && { comment }),
  };
}

/** Takes one version of each task; keeps what was left open for one message at the end. */
export class VersionChoice {
  readonly #annotator: string | undefined;
  readonly #known = new Set<string>();
  #older = 0;
  #chosen = 0;
  #without = 0;

  constructor(annotator: string | undefined) {
    this.#annotator = annotator;
  }

  /** DatasetError where several annotators labelled the task and none was chosen. */
  of(versions: readonly Version[], where: string): readonly Item[] {
    for (const { by } of versions) this.#known.add(by[0] ?? '');
    const fitting = versions.filter(({ by }) => this.#annotator === undefined || by.includes(this.#annotator));
    const names = [...new Set(fitting.map(({ by }) => by[0]))];
    if (names.length > 1) {
      throw new DatasetError(`labelled by ${names.join(', ')}; choose one with --annotator`, { path: where });
    }
    if (fitting.length > 0) this.#chosen += 1;
    else if (versions.length > 0) this.#without += 1;
    this.#older += Math.max(0, fitting.length - 1);
    const latest = fitting.reduce<Version | undefined>((best, each) => (best && best.date > each.date ? best : each), undefined);
    return latest?.items() ?? [];
  }

  /** DatasetError where nobody of the chosen name labelled anything. */
  notes(path: string): string[] {
    const others = `${[...this.#known].slice(0, 20).join(', ') || 'nobody'}`;
    if (this.#annotator !== undefined && this.#chosen === 0) {
      throw new DatasetError(`nothing is labelled by ${this.#annotator}; labelled by ${others}`, { path });
    }
    return [
      ...(this.#older > 0 ? [`${counted(this.#older, 'earlier versions')} by the same annotator left out`] : []),
      ...(this.#without > 0 ? [`${counted(this.#without, 'tasks')} not labelled by ${this.#annotator}, but by ${others}`] : []),
    ];
  }
}
