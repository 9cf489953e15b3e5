/**
 * ELAN's .eaf, versions 2.3 to 3.0.
 * Source: schema EAFv3.0.xsd; dopefishh/pympi; TIME_ORIGIN as in nzilbb/elan-media-trimmer, Trimmer.java.
 */
import type { Annotations, Moment } from '../annotations.js';
import { counted } from '../films.js';
import type { AnnotationFile, AnnotationFormat, ReadChoices } from '../format.js';
import { rootName, type XmlElement, xmlOf } from '../xml.js';
import type { ElanTier } from './annotation.js';
import { ElanDocument } from './document.js';
import { chosenTiers, detailsOf, nameOf, unnamedIn } from './labelTiers.js';
import { mediaOf } from './media.js';
import { writeElan } from './writer.js';

export const elan: AnnotationFormat = {
  name: 'elan',
  title: 'ELAN',
  ending: '.eaf',
  matches: (file) => rootName(file) === 'ANNOTATION_DOCUMENT',
  read: readElan,
  holds: {
    ...{ points: false, overlap: true, manyFilms: false, subject: true, comment: true, attributes: true },
    ...{ score: false, background: false, split: false, open: false },
  },
  write: writeElan,
};

function readElan(file: AnnotationFile, choices: ReadChoices): Annotations {
  const root = xmlOf(file);
  checkUnits(root);
  const media = mediaOf(root, choices.film, file.path);
  const document = new ElanDocument(root);
  const { tiers, left } = chosenTiers(document, choices, file.path);
  const moments = tiers.flatMap((tier) => momentsOf(tier, document, media.originSec));
  const unnamed = unnamedIn(tiers);
  const named = `${counted(unnamed, 'annotations')} without a value: the name of the tier is the label`;
  return {
    films: [{ film: media.film, moments, where: file.path }],
    notes: [...media.notes, ...left, ...(unnamed > 0 ? [named] : [])],
  };
}

function checkUnits(root: XmlElement): void {
  const header = root.first('HEADER');
  const units = header?.attribute('TIME_UNITS') ?? 'milliseconds';
  if (units !== 'milliseconds')
    header?.fail(`counts time in ${units}; set the time units to milliseconds in ELAN and save again`);
}

function momentsOf(tier: ElanTier, document: ElanDocument, originSec: number): Moment[] {
  const details = detailsOf(tier, document);
  return tier.annotations.map((annotation) => ({
    ...filmTime(document.span(annotation), originSec),
    labels: [annotation.value === '' ? nameOf(tier) : annotation.value],
    ...(tier.participant !== undefined && { subject: tier.participant }),
    ...details(annotation),
    where: annotation.where,
  }));
}

const filmTime = (
  { startMs, endMs }: ReturnType<ElanDocument['span']>,
  originSec: number,
): Pick<Moment, 'startSec' | 'endSec'> => ({
  startSec: startMs / 1000 + originSec,
  endSec: endMs / 1000 + originSec,
});
