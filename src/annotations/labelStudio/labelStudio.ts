/**
 * Label Studio's exports: JSON, JSON-MIN, CSV and TSV, and the body of a webhook.
 * Source: HumanSignal/label-studio, web/libs/editor/src/regions and tags/object/Video; label-studio-sdk, src/label_studio_sdk/converter.
 */
import type { Annotations } from '../annotations.js';
import { FilmCollector } from '../films.js';
import type { AnnotationFile, AnnotationFormat, ReadChoices } from '../format.js';
import { JsonPlace } from '../jsonPlace.js';
import { jsonOf, jsonOrNothing } from '../text.js';
import { chosenControls } from './controls.js';
import { filmOf } from './film.js';
import { flatTasks, isFlatRecord, isFlatTable, tableRecords } from './flat.js';
import { RegionReader } from './regions.js';
import { isTask, readTasks, type Tasks } from './tasks.js';
import { writeLabelStudio } from './writer.js';

export const labelStudio: AnnotationFormat = {
  name: 'label-studio',
  title: 'Label Studio',
  matches: (file) => {
    const [first] = rootItems(new JsonPlace(jsonOrNothing(file), file.path));
    return first === undefined ? isFlatTable(file) : isTask(first) || isFlatRecord(first);
  },
  read: readLabelStudio,
  holds: {
    ...{ points: false, overlap: true, manyFilms: true, subject: true, comment: true, attributes: true },
    ...{ score: true, background: false, split: false, open: false },
  },
  write: writeLabelStudio,
};

/** Tasks or records: a list, or a single one. */
function rootItems(root: JsonPlace): JsonPlace[] {
  if (root.isMissing) return [];
  return root.isArray ? root.items() : [root];
}

function tasksOf(file: AnnotationFile, choices: ReadChoices): Tasks {
  if (jsonOrNothing(file) === undefined && isFlatTable(file)) return flatTasks(tableRecords(file), choices, file.path);
  const items = rootItems(new JsonPlace(jsonOf(file), file.path));
  return items[0] !== undefined && !isTask(items[0])
    ? flatTasks(items, choices, file.path)
    : readTasks(items, choices, file.path);
}

function readLabelStudio(file: AnnotationFile, choices: ReadChoices): Annotations {
  const { tasks, notes } = tasksOf(file, choices);
  const controls = chosenControls(tasks, choices.tiers, file.path);
  const reader = new RegionReader(controls.names, choices);
  const films = new FilmCollector();
  for (const task of tasks) {
    const film = filmOf(task);
    const { moments, durationSec } = reader.read(task);
    films.film(film, { where: task.where, ...(durationSec !== undefined && { durationSec }) });
    for (const moment of moments) films.moment(film, moment);
  }
  return { films: films.films(), notes: [...notes, ...controls.notes, ...reader.notes()] };
}
