/**
 * Learning from a teacher's answers besides the labels (Hinton et al. 2015, arXiv 1503.02531): the loss is (1 - share) times the
 * cross-entropy with the labels plus share times T^2 times that with the teacher's probabilities at temperature T, both of the same
 * view. Clips without labels are learnt from a teacher too, with the weight of their pseudo-labels.
 */

import type { LessonPlan } from './lessonPlan.js';
import type { Lesson } from './lessons.js';
import type { TrainOptions } from './options.js';
import { batchParts } from './semiSupervised.js';
import type { Teacher } from './teacher.js';

/** The plan with what the teacher says of each pass's clips. */
export function taughtPlan(plan: LessonPlan, teacher: Pick<Teacher, 'probabilities'>, options: TrainOptions): LessonPlan {
  return {
    ...plan,
    lesson: async (batch, pass) => {
      const lesson = await plan.lesson(batch, pass);
      const { clips, labels } = lesson;
      return taughtLesson(lesson, await teacher.probabilities(clips, labels.length, options.teacherTemperature), options);
    },
  };
}

type Shares = Pick<TrainOptions, 'teacherShare' | 'batch' | 'unlabelledShare' | 'pseudoWeight'>;

/** `probabilities` [B, classes] are the teacher's; the weight of each clip is divided between them and the labels. */
export function taughtLesson(lesson: Lesson, probabilities: Float32Array, options: Shares): Lesson {
  const { teacherShare } = options;
  const weights = clipWeights(lesson.labels, options);
  const classes = probabilities.length / weights.length;
  return {
    ...lesson,
    targets: lesson.targets.map((value) => value * (1 - teacherShare)),
    soft: probabilities.map((value, i) => value * teacherShare * (weights[Math.floor(i / classes)] ?? 0)),
  };
}

/** What the targets of each clip weigh: see semiLesson. */
function clipWeights(labels: Int32Array, options: Shares): number[] {
  if (!labels.includes(-1)) return Array<number>(labels.length).fill(1);
  const { labelled, unlabelled } = batchParts(options);
  const { batch, pseudoWeight } = options;
  return Array.from(labels, (label) => (label === -1 ? (pseudoWeight * batch) / unlabelled : batch / labelled));
}
