/** BORIS projects: `.boris`, of version 7 on ("7.0" in BORIS 7, 8 and 9 alike) and before. */
import * as v from 'valibot';
import { DatasetError } from '../errors.js';
import { faultsOf } from '../schema.js';
import type { Annotations } from './annotations.js';
import { type CodedEvent, pairedEvents, Unpaired, withStatus } from './borisEvents.js';
import { type ObservationMedia, ObservationPlacer } from './borisMedia.js';
import { counted, FilmCollector } from './films.js';
import type { AnnotationFile, ReadChoices } from './format.js';
import { Tally } from './reduce.js';
import { jsonOf, jsonOrNothing } from './text.js';

const numeric = v.pipe(
  v.union([v.number(), v.string(), v.null()]),
  v.transform((value) => (value === null || value === '' ? Number.NaN : Number(value))),
);
const numbers = v.record(v.string(), numeric);

const observationSchema = v.looseObject({
  type: v.string(),
  file: v.optional(v.union([v.record(v.string(), v.array(v.string())), v.array(v.string())]), {}),
  'time offset': v.optional(numeric, 0),
  'time offset second player': v.optional(numeric),
  media_creation_date_as_offset: v.optional(v.nullable(v.boolean())),
  media_info: v.optional(
    v.looseObject({
      length: v.optional(numbers, {}),
      fps: v.optional(numbers, {}),
      offset: v.optional(numbers, {}),
      media_creation_time: v.optional(numbers, {}),
    }),
    {},
  ),
  events: v.array(
    v.looseTuple([v.nullable(v.number()), v.nullable(v.string()), v.string(), v.nullable(v.string()), v.nullable(v.string())]),
  ),
});

const projectSchema = v.looseObject({
  behaviors_conf: v.record(v.string(), v.looseObject({ code: v.string(), type: v.string() })),
  observations: v.record(v.string(), observationSchema),
});

type Observation = v.InferOutput<typeof observationSchema>;
type Project = v.InferOutput<typeof projectSchema>;

export function isBorisProject(file: AnnotationFile): boolean {
  const value = jsonOrNothing(file);
  return value !== undefined && 'behaviors_conf' in value && 'observations' in value;
}

/** DatasetError for what is no project, codes without type, films that cannot be placed and states without end. */
export function readBorisProject(file: AnnotationFile, choices: ReadChoices): Annotations {
  const parsed = v.safeParse(projectSchema, jsonOf(file));
  if (!parsed.success) {
    throw new DatasetError(`not a BORIS project: ${faultsOf(parsed.issues, 'project')[0]}`, { path: file.path });
  }
  return new ProjectReader(file.path, parsed.output, choices).read();
}

class ProjectReader {
  readonly #films = new FilmCollector();
  readonly #left = new Tally();
  readonly #unpaired: Unpaired;
  readonly #types: ReadonlyMap<string, string>;

  constructor(
    readonly path: string,
    readonly project: Project,
    readonly choices: ReadChoices,
  ) {
    this.#unpaired = new Unpaired(choices.unpaired);
    this.#types = new Map(Object.values(project.behaviors_conf).map(({ code, type }) => [code, type]));
  }

  read(): Annotations {
    const { annotator } = this.choices;
    const observations = Object.entries(this.project.observations).filter(([id]) => annotator === undefined || id === annotator);
    const filmed = observations.filter(([, { type }]) => /^(?:media|video)$/i.test(type));
    const others = observations.filter((each) => !filmed.includes(each));
    if (filmed.length === 0) {
      throw new DatasetError(`no observation of films: ${others.map(kindOf).join('; ') || 'no observations'}`, {
        path: this.path,
      });
    }
    for (const [id, observation] of filmed) this.#observe(id, observation);
    const notes = [
      ...others.map((each) => `left out: ${kindOf(each)}`),
      ...this.#unpaired.notes(),
      ...this.#left.losses().map(({ count, what }) => counted(count, what)),
      ...sharedFilms(filmed),
    ];
    return { films: this.#films.films(), labels: [...this.#types.keys()], notes };
  }

  #observe(id: string, observation: Observation): void {
    const where = `${this.path}: observation "${id}"`;
    const media = mediaOf(observation, where);
    const placer = new ObservationPlacer(media, this.#films, this.#left);
    const events = observation.events.map((event, i) => this.#event(event, `${where}, event ${i + 1}`));
    const marked = withStatus(events, (code) => /^point event/i.test(this.#types.get(code) ?? ''));
    for (const moment of pairedEvents(marked, this.#unpaired, where)) placer.place(moment);
  }

  #event([time, subject, code, modifiers, comment]: Observation['events'][number], where: string): Omit<CodedEvent, 'status'> {
    if (time === null) throw new DatasetError('the time is not a number', { path: where });
    if (!this.#types.has(code)) {
      throw new DatasetError(`the behaviour "${code}" is not in the ethogram (behaviors_conf), so that it has no type`, {
        path: where,
      });
    }
    return { timeSec: time, subject: subject ?? '', code, modifiers: modifiers ?? '', comment: comment ?? '', where };
  }
}

function kindOf([id, { type }]: [string, Observation]): string {
  const why = /^live/i.test(type)
    ? 'LIVE: it has no film'
    : /^images/i.test(type)
      ? 'made of pictures, not of a film'
      : `of type ${type}`;
  return `observation "${id}" is ${why}`;
}

function mediaOf(observation: Observation, where: string): ObservationMedia {
  const { file, media_info: info } = observation;
  const byPlayer = Array.isArray(file) ? { '1': file } : file;
  const players = Object.entries(byPlayer).flatMap(([number, films]) =>
    films.length === 0 ? [] : [{ number: Number(number), films }],
  );
  if (players.length === 0) throw new DatasetError('it has no film', { path: where });
  const second = observation['time offset second player'];
  const offsets = new Map(Object.entries(known(info.offset)).map(([player, offset]) => [Number(player), offset]));
  if (second !== undefined && !offsets.has(2)) offsets.set(2, second);
  const films = players.flatMap((player) => player.films);
  const created = known(info.media_creation_time);
  const unknown = films.find((film) => created[film] === undefined);
  const byCreation = observation.media_creation_date_as_offset === true;
  if (byCreation && unknown !== undefined) {
    throw new DatasetError(`its times count from when ${unknown} was filmed, which is not stated`, { path: where });
  }
  return {
    where,
    players,
    lengths: new Map(Object.entries(known(info.length, 0))),
    fps: new Map(Object.entries(known(info.fps, 0))),
    offsets,
    timeOffsetSec: observation['time offset'] || 0,
    ...(byCreation && { created: new Map(Object.entries(created)) }),
  };
}

/** Without what is not a number, or not above a bound: lengths and rates of 0 stand for unknown. */
const known = (values: Readonly<Record<string, number>>, above = -Infinity): Record<string, number> =>
  Object.fromEntries(Object.entries(values).filter(([, value]) => Number.isFinite(value) && value > above));

function sharedFilms(observations: readonly [string, Observation][]): string[] {
  const ids = new Map<string, string[]>();
  for (const [id, { file }] of observations) {
    for (const film of Object.values(file).flat()) ids.set(film, [...(ids.get(film) ?? []), id]);
  }
  const shared = [...ids].filter(([, of]) => of.length > 1);
  return shared.map(
    ([film, of]) => `${film} is coded in ${counted(of.length, 'observations')}, all of which count: ${of.join(', ')}`,
  );
}
