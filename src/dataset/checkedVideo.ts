import type { VideoInfo } from '../video/types.js';
import type { LabelledVideo } from './labelledVideos.js';
import type { Motion } from './motion.js';

export interface CheckedVideo {
  readonly video: LabelledVideo;
  readonly bytes: number;
  readonly info: VideoInfo;
  readonly motion: Motion;
}
