import assert from 'node:assert/strict';
import test from 'node:test';
import { fault } from '../../test/support/annotationFiles.js';
import { formatOf } from './formats.js';
import { fileOfText } from './text.js';

const utf16 = (text: string): Uint8Array => new Uint8Array(Buffer.from(`\ufeff${text}`, 'utf16le'));
const anvil =
  '<?xml version="1.0" encoding="UTF-16"?>\n<annotation><head/><body><track name="act" type="primary"/></body></annotation>';
const keypoints = ['nose', 'tail', 'left', 'right'].flatMap((part) => ['x', 'y', 'p'].map((axis) => `${part}_${axis}`));

for (const [what, content, expected] of [
  ['Anvil, in UTF-16', utf16(anvil), /an Anvil file, which is not read; export/],
  ['a workbook', new Uint8Array([0x50, 0x4b, 3, 4, 20, 0]), /an Excel or LibreOffice workbook.*save its sheet as CSV/],
  ['Observer .odx', '<?xml version="1.0"?><OBS><OBS_EVENT OBS_EVENT_TIMESTAMP="x"/></OBS>', /an Observer file.*export/],
  ['Observer text', 'Observation,Time_Relative_hmsf,Behavior,Event_Type\na,0:00:01.00,run,State start\n', /an Observer file/],
  ['EthoVision', '"Number of header lines:";"36"\n"Experiment";"x"\n', /an EthoVision export/],
  ['SimBA', `,${keypoints.join(',')},run\n0,${keypoints.map(() => '1').join(',')},0\n`, /a SimBA file, a row a frame/],
  ['JWatcher', '# Name: a.dat\n# Format: Focal Data File 1.0\nFirstLineOfData=4\n', /a JWatcher file/],
  ['Praat', 'File type = "ooTextFile"\nObject class = "TextGrid"\n\nxmin = 0\n', /a Praat TextGrid.*ELAN/],
  ['scorevideo', 'scorevideo LOG\nFile:  a.mat\n', /a scorevideo log/],
] as const) {
  test(`${what} is refused by name, with what to export instead`, () => {
    const file = typeof content === 'string' ? fileOfText('list.file', content) : { path: 'list.file', bytes: content };
    assert.throws(() => formatOf(file), fault(expected));
  });
}
