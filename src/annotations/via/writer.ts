/** Writes a VIA 3.1.1 project: one record a label; subjects, comments and attributes are text attributes of VIA. */
import type { Annotations, Moment } from '../annotations.js';
import { labelsOf } from '../films.js';
import type { Written } from '../format.js';
import { Tally } from '../reduce.js';
import { baseName } from '../text.js';

const taken = ['label', 'subject', 'comment'];

export function writeVia(annotations: Annotations): Written {
  const tally = new Tally();
  const labels = new Map(labelsOf(annotations).map((label, i) => [label, String(i)]));
  const ids = new Map([...taken, ...attributeNames(annotations)].map((name, i) => [name, String(i + 1)]));
  const { films } = annotations;
  const metadata = films.flatMap(({ moments }, f) => {
    return moments.flatMap((moment, m) => recordsOf(moment, `${f + 1}`, `${f + 1}_m${m + 1}`, { labels, ids, tally }));
  });
  const value = {
    project: projectOf(films.map((_, i) => String(i + 1))),
    config: { file: { loc_prefix: { '1': '', '2': '', '3': '', '4': '' } }, ui: {} },
    attribute: attributesOf(ids, labels),
    file: Object.fromEntries(films.map(({ film }, i) => [String(i + 1), fileOf(film, i + 1)])),
    metadata: Object.fromEntries(metadata),
    view: Object.fromEntries(films.map((_, i) => [String(i + 1), { fid_list: [String(i + 1)] }])),
  };
  return { files: [{ name: '', content: `${JSON.stringify(value)}\n` }], losses: tally.losses() };
}

const attributeNames = ({ films }: Annotations): string[] => {
  const names = films.flatMap(({ moments }) => moments.flatMap(({ attributes }) => Object.keys(attributes ?? {})));
  return [...new Set(names)].filter((name) => !taken.includes(name));
};

const projectOf = (vid_list: readonly string[]) => ({
  ...{ pid: '__VIA_PROJECT_ID__', rev: '__VIA_PROJECT_REV_ID__', rev_timestamp: '__VIA_PROJECT_REV_TIMESTAMP__' },
  ...{
    pname: 'video-mobile-former',
    data_format_version: '3.1.1',
    creator: 'video-mobile-former',
    created: Date.now(),
    vid_list,
  },
});

/** Places: 2 an address, 3 a path. */
const fileOf = (film: string, fid: number) => ({
  ...{ fid, fname: baseName(film), type: 4 },
  ...{ loc: /^https?:/i.test(film) ? 2 : 3, src: film },
});

function attributesOf(ids: ReadonlyMap<string, string>, labels: ReadonlyMap<string, string>): object {
  const options = Object.fromEntries([...labels].map(([label, id]) => [id, label]));
  const entries = [...ids].map(([aname, id]) => {
    const kind = aname === 'label' ? { type: 4, options } : { type: 1, options: {} };
    return [id, { aname, anchor_id: 'FILE1_Z2_XY0', ...kind, desc: '', default_option_id: '' }];
  });
  return Object.fromEntries(entries);
}

interface Naming {
  readonly labels: ReadonlyMap<string, string>;
  readonly ids: ReadonlyMap<string, string>;
  readonly tally: Tally;
}

function recordsOf(moment: Moment, vid: string, mid: string, { labels, ids, tally }: Naming): [string, object][] {
  const attributes = Object.entries(moment.attributes ?? {}).filter(([name]) => !taken.includes(name));
  const lost = Object.keys(moment.attributes ?? {}).length - attributes.length;
  if (lost > 0) tally.add('attributes called label, subject or comment', false, lost);
  const texts = [...attributes, ['subject', moment.subject] as const, ['comment', moment.comment] as const];
  const said = texts.flatMap(([name, text]) => (text === undefined ? [] : [[ids.get(name) ?? '', text] as const]));
  const z = timesOf(moment, tally);
  return moment.labels.map((label, i) => {
    const av = Object.fromEntries([[ids.get('label') ?? '', labels.get(label) ?? ''], ...said]);
    return [`${mid}${i === 0 ? '' : `_${i + 1}`}`, { vid, flg: 0, z, xy: [], av }];
  });
}

/** Seconds with three decimals, as VIA keeps them. */
function timesOf({ startSec = 0, endSec = startSec }: Moment, tally: Tally): [number, number] {
  const [start, end] = [Math.round(startSec * 1000), Math.round(endSec * 1000)];
  if (end <= start) tally.add('moments shorter than a millisecond, now one long');
  return [start / 1000, Math.max(end, start + 1) / 1000];
}
