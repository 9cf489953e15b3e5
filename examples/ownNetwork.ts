/** A network of one's own, as data: node dist/examples/ownNetwork.js */
import { ConfigError, networkCost, parseNetworkConfig } from 'video-mobile-former';

const small = {
  ...{ family: 'video-mobile-former', name: 'my-network', layout: 'my own', frames: 4, height: 64, width: 64, classes: 5 },
  ...{ stem: 8, tokens: 2, tokenDim: 32, head: 64, groups: 1, dropout: 0.1 },
  blocks: [
    { kind: 'lite', expand: 2, out: 8, stride: 2, temporal: 3 },
    { kind: 'down', expand: 3, expand2: 2, out: 16, temporal: 3 },
    { kind: 'mf', expand: 3, out: 16, temporal: 3 },
  ],
};
const { parameters, macs } = networkCost(parseNetworkConfig(small, 'my network'));
console.log(`${parameters} parameters, ${macs} multiply-adds a clip`);

try {
  parseNetworkConfig({ ...small, tokenDim: 30 }, 'my network');
} catch (error) {
  if (!(error instanceof ConfigError)) throw error;
  console.log(error.message);
}
