/**
 * Tracks of CVAT for video. Source: cvat-ai/cvat, site/content/en/docs/dataset_management/formats.
 */
import type { Annotations, Moment } from './annotations.js';
import { counted, FilmCollector, onlyFilm } from './films.js';
import type { AnnotationFile, AnnotationFormat, ReadChoices } from './format.js';
import { gridFps, spanOf } from './span.js';
import { rootName, type XmlElement, xmlOf } from './xml.js';

export const cvat: AnnotationFormat = {
  name: 'cvat',
  title: 'CVAT for video',
  matches: (file) => rootName(file) === 'annotations',
  read: readCvat,
};

function readCvat(file: AnnotationFile, choices: ReadChoices): Annotations {
  const root = xmlOf(file);
  const [picture] = root.all('image');
  if (picture !== undefined) picture.fail('is of "CVAT for images"; export "CVAT for video 1.1"');
  const meta = root.first('meta');
  const [filter] = meta?.deep('frame_filter') ?? [];
  if (filter !== undefined && filter.text.trim() !== '')
    filter.fail(`leaves frames out (${filter.text.trim()}); export a task with all frames`);
  const source = choices.film ?? meta?.deep('source')[0]?.text.trim();
  const film = onlyFilm(file.path, source || undefined, 'CVAT export');
  const films = new FilmCollector();
  films.film(film, { where: root.where });
  const tracks = root.all('track');
  for (const track of tracks) for (const moment of momentsOf(track, choices)) films.moment(film, moment);
  return {
    films: films.films(),
    notes: tracks.length === 0 ? [] : [`shapes of ${counted(tracks.length, 'tracks')} left out: only their times are read`],
  };
}

interface Shape {
  readonly frame: number;
  readonly outside: boolean;
  readonly element: XmlElement;
}

/** Visible from a shape that is not outside to the next that is, frames from 0; without one to the last shape, that frame included. */
function momentsOf(track: XmlElement, { fps }: ReadChoices): Moment[] {
  const label = track.required('label');
  if (label.trim() === '') track.fail('has an empty label');
  const shapes = track.children.map(shapeOf).sort((a, b) => a.frame - b.frame);
  const rate = gridFps(fps, 'its frames', track.where);
  const starts = shapes.filter(({ outside }, i) => !outside && shapes[i - 1]?.outside !== false);
  return starts.map((start) => {
    const end = shapes.find(({ outside, frame }) => outside && frame >= start.frame)?.frame ?? (shapes.at(-1)?.frame ?? 0) + 1;
    const { where } = start.element;
    return { ...spanOf(start.frame / rate, end / rate, where), labels: [label], ...attributesOf(start.element), where };
  });
}

function shapeOf(element: XmlElement): Shape {
  const frame = Number(element.required('frame'));
  if (!Number.isSafeInteger(frame) || frame < 0)
    element.fail(`has frame="${element.attribute('frame')}", expected a whole number from 0 on`);
  return { frame, outside: element.attribute('outside') === '1', element };
}

function attributesOf(shape: XmlElement): Pick<Moment, 'attributes'> {
  const attributes = shape.all('attribute').map((attribute) => [attribute.required('name'), attribute.text.trim()] as const);
  return attributes.length === 0 ? {} : { attributes: Object.fromEntries(attributes) };
}
