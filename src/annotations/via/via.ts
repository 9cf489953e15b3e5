/**
 * VGG Image Annotator 3: projects of 3.1.1, 3.1.0 and before, and its CSV export.
 * Source: ox-vgg/via, via-3.x.y/src/js: _via_data.js, _via_metadata.js, _via_attribute.js, _via_import_export.js.
 */
import type { Annotations } from '../annotations.js';
import type { AnnotationFile, AnnotationFormat, ReadChoices } from '../format.js';
import { JsonPlace } from '../jsonPlace.js';
import { jsonOf, jsonOrNothing } from '../text.js';
import { isViaTable, tableProject } from './csv.js';
import { projectOf } from './project.js';
import { annotationsOf } from './records.js';
import { writeVia } from './writer.js';

export const via: AnnotationFormat = {
  name: 'via',
  title: 'VIA 3',
  matches: (file) => isProject(new JsonPlace(jsonOrNothing(file), file.path)) || isViaTable(file),
  read: readVia,
  holds: {
    ...{ points: false, overlap: true, manyFilms: true, subject: true, comment: true, attributes: true },
    ...{ score: false, background: false, split: false, open: false },
  },
  write: writeVia,
};

const isProject = (root: JsonPlace): boolean => ['metadata', 'attribute', 'view', 'file'].every((key) => root.key(key).isObject);

function readVia(file: AnnotationFile, choices: ReadChoices): Annotations {
  const isTable = jsonOrNothing(file) === undefined && isViaTable(file);
  const project = isTable ? tableProject(file) : projectOf(new JsonPlace(jsonOf(file), file.path));
  return annotationsOf(project, choices, file.path);
}
