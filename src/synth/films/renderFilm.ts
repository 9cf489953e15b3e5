import type { Rng } from '../../rng.js';
import { createCanvas } from '../../video/canvas.js';
import { type HeldHalfWidth, jointsOf } from '../body.js';
import { Camera } from '../camera.js';
import { drawNuisance, type Nuisance } from '../clip.js';
import { figureItems, figureParts } from '../figure.js';
import { type Ball, block, cornersOf, drawShadows, drawSorted, type Item, type Light, lightFrom } from '../paint.js';
import { grading, moveCamera, objectBlock, stillLayers } from '../render.js';
import { furnitureItems, passerItem } from '../things.js';
import { turnedBy } from '../vec3.js';
import type { Actor } from './actor.js';
import type { Spot } from './episode.js';
import type { FilmOptions } from './filmOptions.js';
import { type Moment, performance, type Shown } from './performance.js';
import { type FilmPlan, fillOf, middlingHeight } from './plan.js';

/** A person's own view of the scene: they stand at its origin and face +z. */
interface Own {
  readonly camera: Camera;
  readonly light: Light;
}

/** A wave of the camera's shake lasts so many seconds, a passer's way so long, every so often. */
const SHAKE_SEC = 2;
const [PASS_SEC, PASS_EVERY_SEC] = [3, 11];

/** The frames of a film, each [height, width, 4] RGBA in one reused buffer, drawn as they are taken. */
export function* renderFilm(plan: FilmPlan, rng: Rng, options: FilmOptions): Generator<Uint8Array> {
  const { width, height, frameRate } = options;
  const nuisance = filmNuisance(rng.fork('nuisance'), options);
  const camera = new Camera(nuisance.view, width, height, middlingHeight);
  const { azimuth, elevation, ambient, strength } = nuisance.light;
  const light = lightFrom(azimuth, elevation, ambient, strength);
  const still = stillLayers(nuisance.scene, camera, light);
  const context = createCanvas(width, height).getContext('2d', { alpha: false });
  context.imageSmoothingQuality = 'low';
  const finish = grading({ nuisance, noiseSeed: rng.fork('noise').uint32() });
  const cast = plan.actors.map((actor) => ({ actor, at: performance(actor, frameRate) }));
  for (let frame = 0; frame < plan.frames; frame++) {
    const sec = frame / frameRate;
    context.setTransform(1, 0, 0, 1, 0, 0);
    moveCamera(context, nuisance, sec / SHAKE_SEC, width, height);
    context.drawImage(still.behind, -still.margin, -still.margin);
    const items = cast.flatMap(({ actor, at }) => personItems(context, actor, at(frame), camera, light));
    drawSorted(context, [...items, ...passing(nuisance, sec, camera, light)]);
    if (still.before !== undefined) context.drawImage(still.before, -still.margin, -still.margin);
    yield finish(context.getImageData(0, 0, width, height).data, frame);
  }
}

/** As a clip's, but the camera stays where it is and has all people in view. */
function filmNuisance(rng: Rng, options: FilmOptions): Nuisance {
  const nuisance = drawNuisance(rng, options);
  const { elevation, distance } = nuisance.view;
  const view = { azimuth: 0, elevation, distance: distance + 1.5, fill: fillOf(options.people), offsetX: 0, offsetY: 0.02 };
  return { ...nuisance, view, drift: [0, 0], zoom: 0, mirrored: false };
}

function passing({ scene: { passer } }: Nuisance, sec: number, camera: Camera, light: Light): Item[] {
  const share = (sec % PASS_EVERY_SEC) / PASS_SEC;
  return passer === undefined || share > 1 ? [] : [passerItem(passer, share, camera, light)];
}

const seenFrom = ({ x, z, yaw }: Spot, camera: Camera, light: Light): Own => ({
  camera: camera.seenFrom(x, z, yaw),
  light: { ...light, direction: turnedBy(-yaw)(light.direction) },
});

type Context = Parameters<typeof drawShadows>[0];

/** Draws the shadows at once: they lie on the floor. */
function personItems(context: Context, actor: Actor, moment: Moment, camera: Camera, light: Light): Item[] {
  const own = seenFrom(moment.spot, camera, light);
  const held: HeldHalfWidth = moment.held;
  const joints = jointsOf(moment.pose, actor.build, held);
  drawShadows(
    context,
    own.camera,
    own.light,
    figureParts(actor, joints).map(({ balls }) => balls),
    0.26,
  );
  const things = moment.shown.flatMap((shown) => shownItems(context, actor, shown, seenFrom(shown.episode.spot, camera, light)));
  return [...figureItems(actor, joints, own.camera, own.light), ...things];
}

function shownItems(context: Context, actor: Actor, { episode, pose, alpha }: Shown, { camera, light }: Own): Item[] {
  const { object: size, furniture } = episode.motion.props;
  const object = size === undefined ? [] : [objectBlock(pose, actor.build, size)];
  const blocks = [...furniture, ...object];
  if (blocks.length === 0) return [];
  const corners = blocks.map((piece) => cornersOf(piece).map((centre): Ball => ({ centre, radius: 0.005 })));
  drawShadows(context, camera, light, corners, 0.26 * alpha);
  const items = [
    ...furnitureItems(furniture, camera, light, actor.propBand),
    ...object.map((piece) => block(camera, light, piece, actor.propColour, actor.propBand)),
  ];
  return alpha >= 1 ? items : items.map((item) => faded(item, alpha));
}

const faded = ({ depth, draw }: Item, alpha: number): Item => ({
  depth,
  draw: (canvas) => {
    canvas.globalAlpha = alpha;
    draw(canvas);
    canvas.globalAlpha = 1;
  },
});
