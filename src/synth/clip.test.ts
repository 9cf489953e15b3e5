import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import { Rng } from '../rng.js';
import { actionClasses, reversedPairs } from './actions.js';
import { jointsOf } from './body.js';
import { Camera } from './camera.js';
import { type Clip, type ClipOptions, drawClip } from './clip.js';
import { stepped } from './gait.js';
import { poseFields, standing } from './pose.js';
import { length, sub, type Vec3 } from './vec3.js';

const options: ClipOptions = { width: 160, height: 128, frameRate: 16, difficulty: 0.5 };
const seeds = Array.from({ length: 20 }, (_, i) => i);

test('there are at least twelve actions, and three pairs among them', () => {
  assert.ok(new Set(actionClasses).size >= 12);
  const paired = reversedPairs.flat();
  assert.equal(new Set(paired).size, 6);
  assert.ok(paired.every((name) => actionClasses.includes(name)));
});

describe('reversed pairs', () => {
  for (const [forwards, backwards] of reversedPairs) {
    test(`${backwards} is ${forwards} played backwards, and nothing else differs`, () => {
      for (const seed of seeds) {
        for (const difficulty of [0, 0.5, 1]) {
          const rng = () => new Rng([seed, 'pair']);
          const first = drawClip(forwards, rng(), { ...options, difficulty });
          const second = drawClip(backwards, rng(), { ...options, difficulty });
          assert.deepEqual(second.poses, [...first.poses].reverse());
          assert.deepEqual(second.nuisance, first.nuisance);
          assert.deepEqual(second.motion.props, first.motion.props);
          assert.notDeepEqual(first.poses[0], first.poses.at(-1));
        }
      }
    });
  }
});

test('all that is not the motion is drawn alike for every class', () => {
  for (const seed of seeds) {
    const drawn = actionClasses.map((action) => drawClip(action, new Rng([seed]), options).nuisance);
    for (const nuisance of drawn) assert.deepEqual(nuisance, drawn[0]);
  }
});

test('in a set, length, view, light and size are distributed alike over the classes', () => {
  const clips = 240;
  const facts: Record<string, (clip: Clip) => number> = {
    frames: (clip) => clip.poses.length,
    azimuth: (clip) => clip.nuisance.view.azimuth,
    fill: (clip) => clip.nuisance.view.fill,
    mirrored: (clip) => Number(clip.nuisance.mirrored),
    light: (clip) => clip.nuisance.light.ambient,
    noise: (clip) => clip.nuisance.noise,
    outdoors: (clip) => Number(clip.nuisance.scene.kind === 'outdoors'),
    things: (clip) => clip.nuisance.scene.things.length,
    passer: (clip) => Number(clip.nuisance.scene.passer !== undefined),
    shirt: (clip) => clip.nuisance.appearance.shirt[0],
    height: (clip) => clip.nuisance.build.height,
    propColour: (clip) => clip.nuisance.propColour[0],
    tempo: (clip) => clip.nuisance.style.periodSec,
  };
  const perClass = actionClasses.map((action) =>
    Array.from({ length: clips }, (_, i) => drawClip(action, new Rng([7, 'synth', 'train', action, i + 1]), options)),
  );
  for (const [name, fact] of Object.entries(facts)) {
    const groups = perClass.map((group) => group.map(fact));
    const { mean, deviation } = moments(groups.flat());
    assert.ok(deviation > 0, `${name} varies`);
    for (const [place, group] of groups.entries()) {
      const z = ((moments(group).mean - mean) / deviation) * Math.sqrt(clips);
      assert.ok(Math.abs(z) < 4, `${name} of ${actionClasses[place]}: ${z.toFixed(1)} standard errors from the mean of all`);
    }
  }
});

function moments(values: readonly number[]): { mean: number; deviation: number } {
  const mean = values.reduce((sum, value) => sum + value, 0) / values.length;
  return { mean, deviation: Math.sqrt(values.reduce((sum, value) => sum + (value - mean) ** 2, 0) / values.length) };
}

test('a clip lasts 1.5 to 2.5 s and the body stays itself: bones keep their lengths, feet stay above the floor', () => {
  for (const action of actionClasses) {
    for (const seed of seeds) {
      const clip = drawClip(action, new Rng([seed, action]), { ...options, difficulty: 1 });
      assert.ok(clip.poses.length >= 24 && clip.poses.length <= 40);
      for (const pose of clip.poses) checkBody(clip, pose);
    }
  }
});

function checkBody({ nuisance: { build }, action, motion }: Clip, pose: Clip['poses'][number]): void {
  assert.ok(
    poseFields.every((field) => Number.isFinite(pose[field])),
    action,
  );
  const joints = jointsOf(pose, build, (motion.props.object?.[0] ?? 0) / 2);
  const bone = (from: Vec3, to: Vec3, wanted: number) =>
    assert.ok(
      Math.abs(length(sub(from, to)) - wanted) < 1e-9,
      `${action}: a bone of ${wanted} m became ${length(sub(from, to))}`,
    );
  for (const arm of [joints.leftArm, joints.rightArm]) {
    bone(arm.root, arm.middle, build.upperArm);
    bone(arm.middle, arm.end, build.foreArm);
  }
  for (const leg of [joints.leftLeg, joints.rightLeg]) {
    bone(leg.root, leg.middle, build.thigh);
    bone(leg.middle, leg.end, build.shin);
    assert.ok(leg.end[1] > 0.02 * build.height, `${action}: an ankle is ${leg.end[1]} m above the floor`);
    assert.ok(leg.middle[1] > 0.05 * build.height, `${action}: a knee is ${leg.middle[1]} m above the floor`);
  }
  bone(joints.pelvis, joints.waist, build.spine * 0.45);
  bone(joints.waist, joints.chest, build.spine * 0.55);
}

test('a standing figure fills 62 to 90 % of the picture, and its head is inside', () => {
  for (const seed of seeds) {
    const { nuisance } = drawClip('wave', new Rng([seed]), options);
    const camera = new Camera(nuisance.view, options.width, options.height, nuisance.build.height);
    const top = camera.project([0, nuisance.build.height, 0]);
    const bottom = camera.project([0, 0, 0]);
    const share = (bottom.y - top.y) / options.height;
    assert.ok(share > 0.62 && share < 0.9, `${share}`);
    assert.ok(top.y > 0 && top.x > 0 && top.x < options.width);
  }
});

test('walking feet stand still on the ground while they carry the body', () => {
  const gait = { step: 0.4, lift: 0.1, phase: 0.3 };
  let standingFrames = 0;
  for (let i = 0; i < 200; i++) {
    const now = stepped(standing, i * 0.01, gait).pose;
    const next = stepped(standing, (i + 1) * 0.01, gait).pose;
    const moved = [Math.abs(next.leftFootZ - now.leftFootZ), Math.abs(next.rightFootZ - now.rightFootZ)];
    assert.ok(Math.min(...moved) < 1e-9, 'one foot stands at any time');
    if (Math.max(...moved) > 1e-9) standingFrames++;
    assert.ok(Math.abs(now.leftFootZ - now.pelvisZ) <= gait.step && Math.abs(now.rightFootZ - now.pelvisZ) <= gait.step);
  }
  assert.ok(standingFrames > 150);
});
