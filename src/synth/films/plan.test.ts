import assert from 'node:assert/strict';
import { test } from 'node:test';
import { Rng } from '../../rng.js';
import { actionClasses } from '../actions.js';
import { jointsOf } from '../body.js';
import { Camera } from '../camera.js';
import { add, length, sub, turnedBy, type Vec3 } from '../vec3.js';
import { defaultFilmOptions, type FilmOptions } from './filmOptions.js';
import { performance } from './performance.js';
import { type FilmLabel, fillOf, middlingHeight, planFilm } from './plan.js';

const tenMinutes: FilmOptions = { ...defaultFilmOptions, minutes: 10 };
const plan = (seed: number, change: Partial<FilmOptions> = {}) => planFilm(new Rng([seed, 'film']), { ...tenMinutes, ...change });
const seeds = Array.from({ length: 8 }, (_, i) => i);

const meets = (a: FilmLabel, b: FilmLabel) => a.startFrame < b.endFrame && b.startFrame < a.endFrame;
const meetings = (labels: readonly FilmLabel[], which: (a: FilmLabel, b: FilmLabel) => boolean) =>
  labels.flatMap((a, i) => labels.slice(i + 1).filter((b) => which(a, b) && meets(a, b)));

test('labels lie in the film, in order, and a person does one thing at a time', () => {
  for (const seed of seeds) {
    for (const overlap of [false, true]) {
      const { labels, frames } = plan(seed, { overlap, people: 3 });
      assert.ok(labels.length > 50);
      for (const [i, { startFrame, endFrame, person }] of labels.entries()) {
        assert.ok(startFrame >= 0 && endFrame > startFrame + 15 && endFrame <= frames && person >= 1 && person <= 3);
        assert.ok(startFrame >= (labels[i - 1]?.startFrame ?? 0));
      }
      assert.deepEqual(
        meetings(labels, (a, b) => a.person === b.person),
        [],
      );
    }
  }
});

test('people take turns, or act at once', () => {
  assert.deepEqual(
    meetings(plan(1).labels, () => true),
    [],
  );
  assert.ok(meetings(plan(1, { overlap: true }).labels, () => true).length > 20);
});

test('the background has its share', () => {
  for (const background of [0.2, 0.4, 0.7, 0.9]) {
    const shares = seeds.map((seed) => {
      const { labels, frames } = plan(seed, { background });
      return 1 - labels.reduce((sum, { startFrame, endFrame }) => sum + endFrame - startFrame, 0) / frames;
    });
    const mean = shares.reduce((sum, share) => sum + share, 0) / shares.length;
    assert.ok(Math.abs(mean - background) < 0.04, `${mean} for ${background}`);
  }
});

test('classes are equally frequent; others are not labelled', () => {
  const counts = new Map(actionClasses.map((name) => [name, 0]));
  for (const seed of seeds) for (const { action } of plan(seed).labels) counts.set(action, (counts.get(action) ?? 0) + 1);
  assert.ok(Math.max(...counts.values()) - Math.min(...counts.values()) <= 2 * seeds.length, [...counts].join(' '));
  const few = plan(2, { classes: ['wave', 'stand-up'] }).labels;
  assert.deepEqual([...new Set(few.map(({ action }) => action))].sort(), ['stand-up', 'wave']);
});

test('where walking is no class, people walk about in the background', () => {
  const { actors, labels } = plan(3, { classes: ['wave', 'kick'] });
  const walks = actors.flatMap(({ episodes }) => episodes.filter(({ steps }) => steps.every(({ label }) => label === undefined)));
  assert.ok(walks.length > 20);
  assert.ok(labels.every(({ action }) => action !== 'walk'));
});

test('a film is named by its stream', () => {
  assert.deepEqual(plan(5).labels, plan(5).labels);
  assert.notDeepEqual(plan(5).labels, plan(6).labels);
});

/** A point of the person's own world in that of the film. */
const placed = ({ x, z, yaw }: { x: number; z: number; yaw: number }, point: Vec3): Vec3 => add(turnedBy(yaw)(point), [x, 0, z]);

test('nobody jumps, and nobody leaves the picture', () => {
  for (const seed of seeds) {
    const people = 1 + (seed % 3);
    const { actors, frames } = plan(seed, { people, minutes: 3 });
    const view = { azimuth: 0, elevation: 0.2, distance: 6, fill: fillOf(people), offsetX: 0, offsetY: 0 };
    const camera = new Camera(view, 160, 128, middlingHeight);
    for (const actor of actors) {
      const at = performance(actor, 16);
      let before: Vec3[] | undefined;
      for (let frame = 0; frame < frames; frame++) {
        const { spot, pose, held } = at(frame);
        const joints = jointsOf(pose, actor.build, held);
        const points = [joints.pelvis, joints.head, joints.leftArm.end, joints.rightLeg.end].map((point) => placed(spot, point));
        const moved = points.map((point, i) => length(sub(point, before?.[i] ?? point)));
        assert.ok(Math.max(...moved.slice(0, 2)) < 0.25, `seed ${seed} frame ${frame}: trunk moves ${moved} m`);
        assert.ok(Math.max(...moved) < 0.6, `seed ${seed} frame ${frame}: limbs move ${moved} m`);
        const { x } = camera.project(points[0] as Vec3);
        assert.ok(x > 4 && x < 156, `seed ${seed} frame ${frame}: ${x}`);
        before = points;
      }
    }
  }
});
