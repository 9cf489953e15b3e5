/** Files of programs that are recognised and not read: each is refused by its name, with what to export instead. */
import type { AnnotationFile } from './format.js';
import { JsonPlace } from './jsonPlace.js';
import { headerOf } from './table.js';
import { jsonOrNothing, textOf } from './text.js';
import { rootName } from './xml.js';

interface RecognisedFile {
  /** "an Anvil file". */
  readonly what: string;
  /** What to do. */
  readonly instead: string;
  matches(file: AnnotationFile): boolean;
}

const begins = (file: AnnotationFile, pattern: RegExp): boolean => pattern.test(textOf(file).slice(0, 4000));
const isBinary = ({ bytes }: AnnotationFile, ...magic: readonly number[]): boolean => magic.every((byte, i) => bytes[i] === byte);
const table = 'a table with the columns video, label, start and end in seconds';

const recognised: readonly RecognisedFile[] = [
  {
    what: 'an Excel or LibreOffice workbook',
    instead: 'save its sheet as CSV (BORIS exports CSV and TSV itself; The Observer and EthoVision: save the events as text)',
    matches: (file) => isBinary(file, 0x50, 0x4b, 3, 4) || isBinary(file, 0xd0, 0xcf, 0x11, 0xe0),
  },
  {
    what: 'a VIA 2 project, which annotates pictures',
    instead: 'label the film in VIA 3 (its video annotator) and save that project',
    matches: (file) => new JsonPlace(jsonOrNothing(file), file.path).has('_via_img_metadata'),
  },
  {
    what: 'an Anvil file',
    instead: `export its tracks as a text table from Anvil, or make ${table}`,
    matches: (file) => rootName(file) === 'annotation' && /<track\b/.test(textOf(file)),
  },
  {
    what: 'an Observer file',
    instead: `export the event log as text, and make it ${table}`,
    matches: (file) => /OBS_EVENT_TIMESTAMP/.test(textOf(file)) || headerOf(file).includes('Time_Relative_hmsf'),
  },
  {
    what: 'an EthoVision export',
    instead: `make ${table} of its scored behaviours`,
    matches: (file) => begins(file, /^"?Number of header lines:?"?/i),
  },
  {
    what: 'a SimBA file, a row a frame',
    instead: `export its bouts as ${table}`,
    matches: (file) => headerOf(file).filter((name) => /_(?:x|y|p)$/.test(name.trim())).length >= 12,
  },
  {
    what: 'a JWatcher file',
    instead: `make ${table} of its key presses`,
    matches: (file) => begins(file, /JWatcher|Focal Data File|^FirstLineOfData\s*=/m),
  },
  {
    what: 'a Praat TextGrid',
    instead: 'open it in ELAN (File, Import, Praat TextGrid) and save it as .eaf',
    matches: (file) => begins(file, /ooTextFile[\s\S]*TextGrid/),
  },
  {
    what: 'a scorevideo log',
    instead: `make ${table} of its raw log`,
    matches: (file) => begins(file, /scorevideo/i),
  },
];

/** "an Anvil file, which is not read; ..."; undefined for a file of no known program. */
export function refusalOf(file: AnnotationFile): string | undefined {
  const found = recognised.find((each) => each.matches(file));
  return found === undefined ? undefined : `${found.what}, which is not read; ${found.instead}`;
}
