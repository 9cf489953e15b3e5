/** What the columns of tables of moments are called by the programs and lists in use. */

export type Role =
  | 'film'
  | 'label'
  | 'labels'
  | 'start'
  | 'end'
  | 'duration'
  | 'startFrame'
  | 'endFrame'
  | 'subject'
  | 'comment'
  | 'score'
  | 'split'
  | 'filmDuration'
  | 'fps'
  | 'complete';

/** In order of preference: of several columns of one role the first named here is used, the others are attributes. */
const spellings: Readonly<Record<Role, readonly string[]>> = {
  film: [
    ...['path', 'video_path', 'file_path', 'filepath', 'media_file_path', 'video', 'film', 'file', 'filename', 'file_name'],
    ...['video_name', 'media_file_name', 'media_file', 'media', 'clip', 'video_id', 'videoid', 'video_uid', 'youtube_id', 'vid'],
  ],
  labels: ['labels'],
  label: [
    'label',
    'class',
    'action',
    'behavior',
    'behaviour',
    'activity',
    'event',
    'class_name',
    'label_name',
    'category',
    'gesture',
  ],
  start: [
    ...['start', 'start_s', 'start_sec', 'start_secs', 'start_seconds', 'start_time', 'start_time_s', 'start_time_sec'],
    ...[
      'start_timestamp',
      't_start',
      'time_start',
      'tstart',
      'starttime',
      'begin',
      'begin_s',
      'begin_time',
      'begin_sec',
      'onset',
    ],
    ...['from', 'start_ms', 'start_msec', 'begin_ms', 'onset_ms', 'start_time_ms'],
  ],
  end: [
    ...['end', 'end_s', 'end_sec', 'end_secs', 'end_seconds', 'end_time', 'end_time_s', 'end_time_sec', 'end_timestamp', 't_end'],
    ...['time_end', 'tend', 'endtime', 'stop', 'stop_s', 'stop_sec', 'stop_secs', 'stop_seconds', 'stop_time', 'stop_timestamp'],
    ...['t_stop', 'time_stop', 'tstop', 'offset', 'to', 'finish', 'end_ms', 'end_msec', 'stop_ms', 'offset_ms', 'end_time_ms'],
  ],
  duration: ['duration', 'duration_s', 'duration_sec', 'duration_seconds', 'duration_ms', 'length', 'length_s'],
  startFrame: ['start_frame', 'start_frame_idx', 'frame_start', 'begin_frame', 'startframe'],
  endFrame: ['end_frame', 'stop_frame', 'end_frame_idx', 'stop_frame_idx', 'frame_end', 'frame_stop', 'endframe'],
  subject: ['subject', 'participant', 'participant_id', 'person', 'person_id', 'actor', 'animal'],
  comment: ['comment', 'comments', 'note', 'notes', 'remark'],
  score: ['score', 'confidence', 'probability'],
  split: ['split', 'subset', 'set'],
  filmDuration: ['film_duration'],
  fps: ['film_fps', 'fps'],
  complete: ['complete'],
};

/** "Start (s)", "Start..s.", "Start_s" and "start s" are one name. */
export const plainName = (name: string): string =>
  name
    .trim()
    .toLowerCase()
    .replace(/[^\p{L}\p{N}]+/gu, '_')
    .replace(/^_+|_+$/g, '');

const roles = new Map<string, Role>();
for (const [role, names] of Object.entries(spellings) as [Role, readonly string[]][])
  for (const name of names) roles.set(name, role);

/** What a column of this name would be read as; undefined for an attribute. */
export const roleOf = (name: string): Role | undefined => roles.get(plainName(name));

export interface Columns {
  readonly header: readonly string[];
  /** The column of each role. */
  readonly of: Readonly<Partial<Record<Role, number>>>;
  /** All other columns that have a name. */
  readonly attributes: readonly { readonly name: string; readonly column: number }[];
}

/** An attribute whose name has another meaning is written with this before it. */
export const attributePrefix = 'attribute:';

export function columnsOf(header: readonly string[]): Columns {
  const plain = header.map(plainName);
  const chosen: Partial<Record<Role, number>> = {};
  for (const [role, names] of Object.entries(spellings) as [Role, readonly string[]][]) {
    const column = names.map((name) => plain.indexOf(name)).find((place) => place >= 0);
    if (column !== undefined) chosen[role] = column;
  }
  dropSecondTimes(chosen, plain);
  const taken = new Set(Object.values(chosen));
  const attributes = header.flatMap((name, column) => {
    const own = name.trim().startsWith(attributePrefix) ? name.trim().slice(attributePrefix.length) : name.trim();
    return own === '' || taken.has(column) ? [] : [{ name: own, column }];
  });
  return { header, of: chosen, attributes };
}

/** A duration or frames beside times say nothing new; an offset is an end beside an onset only. */
function dropSecondTimes(chosen: Partial<Record<Role, number>>, plain: readonly string[]): void {
  const isOnset = chosen.start !== undefined && plain[chosen.start]?.startsWith('onset');
  if (chosen.end !== undefined && plain[chosen.end]?.startsWith('offset') && !isOnset) delete chosen.end;
  if (chosen.end !== undefined) delete chosen.duration;
  if (chosen.start === undefined) return;
  delete chosen.startFrame;
  delete chosen.endFrame;
}

/** Whether a start or end of this column counts thousandths of seconds. */
export const isMilliseconds = (name: string): boolean => /_(?:ms|msec|milliseconds)$/.test(plainName(name));

/** Whether the frame that a column of ends names still belongs to the moment, as Roboflow counts. */
export const includesLast = (name: string): boolean => /_idx$/.test(plainName(name));
