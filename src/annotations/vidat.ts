/** Vidat's JSON: `annotation.actionAnnotationList` in seconds, classes by id in `config`. */
import type { Annotations, Moment } from './annotations.js';
import { onlyFilm } from './films.js';
import type { AnnotationFile, AnnotationFormat, ReadChoices } from './format.js';
import { JsonPlace } from './jsonPlace.js';
import { spanOf } from './span.js';
import { jsonOf, jsonOrNothing } from './text.js';

export const vidat: AnnotationFormat = {
  name: 'vidat',
  title: 'Vidat',
  matches: (file) => new JsonPlace(jsonOrNothing(file), file.path).key('annotation').key('actionAnnotationList').isArray,
  read: readVidat,
};

function readVidat(file: AnnotationFile, choices: ReadChoices): Annotations {
  const root = new JsonPlace(jsonOf(file), file.path);
  const video = root.key('annotation').key('video');
  const film = onlyFilm(file.path, choices.film ?? video.firstKey('src', 'name').someText(), 'Vidat file');
  const [actions, objects] = ['actionLabelData', 'objectLabelData'].map((key) => namesIn(root.key('config').key(key)));
  const durationSec = video.key('duration').someNumber();
  const fps = video.key('fps').someNumber();
  const list = root.key('annotation').key('actionAnnotationList').items();
  return {
    films: [
      {
        ...{
          film,
          where: file.path,
          moments: list.map((action) => momentOf(action, actions ?? new Map(), objects ?? new Map())),
        },
        ...(durationSec !== undefined && { durationSec }),
        ...(fps !== undefined && { fps }),
      },
    ],
    ...(actions !== undefined && actions.size > 0 && { labels: [...new Set(actions.values())] }),
    notes: [],
  };
}

const namesIn = (list: JsonPlace): Map<string, string> =>
  new Map(list.someItems().map((each) => [each.key('id').text(), each.key('name').text()]));

function momentOf(action: JsonPlace, actions: ReadonlyMap<string, string>, objects: ReadonlyMap<string, string>): Moment {
  const [id, object] = [action.key('action').text(), action.key('object').someText()];
  const label = actions.get(id) ?? action.key('action').fail(`no action has the id ${id}`);
  const comment = action.key('description').someText();
  return {
    ...spanOf(action.key('start').number(), action.key('end').number(), action.where),
    labels: [label],
    ...(comment !== undefined && { comment }),
    ...(object !== undefined && { attributes: { object: objects.get(object) ?? object } }),
    where: action.where,
  };
}
