/** Regions of a Label Studio task as moments. */
import type { Moment } from '../annotations.js';
import { counted } from '../films.js';
import type { ReadChoices } from '../format.js';
import type { JsonPlace } from '../jsonPlace.js';
import { Tally } from '../reduce.js';
import { gridFps, Scores, type Span, spanOf, spanOfFrames } from '../span.js';
import { rateOfBoxes, visibleSpans } from './boxes.js';
import { frameRateOf } from './config.js';
import { kindOf } from './controls.js';
import type { Item, Task } from './tasks.js';

export interface TaskMoments {
  readonly moments: readonly Moment[];
  readonly durationSec?: number;
}

/** Reads the regions of the chosen controls, and counts what it leaves out. */
export class RegionReader {
  readonly #scores = new Scores();
  readonly #left = new Tally();

  constructor(
    private readonly controls: ReadonlySet<string>,
    private readonly choices: ReadChoices,
  ) {}

  read(task: Task): TaskMoments {
    const details = detailsOf(task.items);
    const moments = task.items.flatMap((item) => this.#moments(item, task, details.get(item.id ?? '') ?? []));
    const durations = task.items.map(({ value }) => value.firstKey('duration', 'original_length').value);
    const durationSec = durations.find((value) => typeof value === 'number' && value > 0 && Number.isFinite(value));
    return { moments, ...(typeof durationSec === 'number' && { durationSec }) };
  }

  notes(): string[] {
    return [...this.#left.losses().map(({ count, what }) => `${counted(count, what)} left out`), ...this.#scores.notes()];
  }

  #moments(item: Item, task: Task, details: readonly Item[]): Moment[] {
    const kind = kindOf(item, task.items);
    if (kind === 'duplicate') this.#left.add('box regions exported a second time by the timeline');
    if (kind === 'other') this.#left.add(`results of type ${item.type}`);
    if ((kind !== 'region' && kind !== 'clip') || !this.controls.has(item.control)) return [];
    const labels = labelsOf(item);
    if (labels.length === 0) {
      this.#left.add('regions without a label');
      return [];
    }
    const spans = kind === 'clip' ? [{}] : this.#spans(item, task);
    const facts = { ...described(item, details), ...this.#scores.of(item.score), where: item.value.where };
    return spans.map((span) => ({ ...span, labels, ...facts }));
  }

  #spans(item: Item, task: Task): Span[] {
    const { value } = item;
    if (item.type === 'labels') return [spanOf(value.key('start').number(), value.key('end').number(), value.where)];
    if (item.type === 'videorectangle') {
      this.#left.add('rectangles of boxes');
      return visibleSpans(value, this.#fps(task, value));
    }
    return value
      .key('ranges')
      .items()
      .flatMap((range) => this.#range(range, this.#fps(task, range)));
  }

  #fps({ config, data, items }: Task, place: JsonPlace): number {
    const { fps } = this.choices;
    if (fps !== undefined) return fps;
    if (config !== undefined) return frameRateOf(config, data);
    return gridFps(
      rateOfBoxes(items),
      "its regions lie on the labelling configuration's grid (24 unless it says otherwise); they",
      place.where,
    );
  }

  /** A range without start or end was begun and not finished. */
  #range(range: JsonPlace, fps: number): Span[] {
    const [start, end] = [range.key('start').someNumber(), range.key('end').someNumber()];
    if (start !== undefined && end !== undefined) return [spanOfFrames(start, end, fps, range.where)];
    const { unpaired } = this.choices;
    if (unpaired === undefined) {
      range.fail(
        `has no ${start === undefined ? 'start' : 'end'}; expected --unpaired end (it reaches the end of the film) or drop`,
      );
    }
    if (unpaired === 'drop') this.#left.add('ranges without start or end');
    return unpaired === 'drop' ? [] : [spanOfFrames(start, end, fps, range.where)];
  }
}

const labelKeys = { timelinelabels: 'timelinelabels', videorectangle: 'labels', labels: 'labels', choices: 'choices' } as const;

function labelsOf({ type, value }: Item): string[] {
  const key = labelKeys[type as keyof typeof labelKeys];
  return value
    .key(key)
    .someItems()
    .map((label) => label.text());
}

/** Details of regions by the id that they share. */
function detailsOf(items: readonly Item[]): Map<string, Item[]> {
  const details = new Map<string, Item[]>();
  for (const item of items) {
    if (item.id === undefined || kindOf(item, items) !== 'detail') continue;
    details.set(item.id, [...(details.get(item.id) ?? []), item]);
  }
  return details;
}

/** Controls called `subject` and `comment` are these; others are attributes under their names. */
function described(item: Item, details: readonly Item[]): Pick<Moment, 'subject' | 'comment' | 'attributes'> {
  const said = new Map(details.map(({ control, type, value }) => [control, detailText(type, value)]));
  const subject = said.get('subject');
  const comment = said.get('comment') ?? item.comment;
  const attributes = [...said].filter(([control]) => control !== 'subject' && control !== 'comment');
  return {
    ...(subject !== undefined && { subject }),
    ...(comment !== undefined && { comment }),
    ...(attributes.length > 0 && { attributes: Object.fromEntries(attributes) }),
  };
}

/** Choices and texts are lists under the name of the type, other details single values. */
function detailText(type: string, value: JsonPlace): string {
  const held = value.key(type === 'textarea' ? 'text' : type);
  const texts = (held.isArray ? held.items() : [held]).map((part) => (part.isArray ? part.items() : [part]));
  return texts
    .map((path) => path.map((part) => (part.isObject ? JSON.stringify(part.value) : String(part.value))).join(' > '))
    .join(', ');
}
