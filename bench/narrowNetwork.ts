/** A narrow Video Mobile-Former: 8 frames of 64 pixels. */

import { parseNetworkConfig } from '../src/models/registry.js';

export const narrowNetwork = parseNetworkConfig(
  {
    ...{
      family: 'video-mobile-former',
      name: 'narrow',
      layout: 'narrow',
      stem: 8,
      tokens: 3,
      tokenDim: 64,
      head: 256,
      groups: 1,
      dropout: 0,
    },
    ...{ frames: 8, height: 64, width: 64, classes: 1 },
    blocks: [
      { kind: 'lite', expand: 3, out: 12, stride: 2, temporal: 3 },
      { kind: 'mf', expand: 3, out: 12, temporal: 3 },
      { kind: 'down', expand: 4, expand2: 3, out: 24, temporal: 3 },
      { kind: 'mf', expand: 3, out: 24, temporal: 3 },
      { kind: 'down', expand: 4, expand2: 3, out: 48, temporal: 3 },
      { kind: 'mf', expand: 4, out: 48, temporal: 3 },
      { kind: 'down', expand: 4, expand2: 3, out: 64, temporal: 3 },
      { kind: 'mf', expand: 4, out: 64, temporal: 3 },
    ],
  },
  'narrow',
);
