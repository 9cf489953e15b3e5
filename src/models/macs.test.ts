import assert from 'node:assert/strict';
import { test } from 'node:test';
import type { Expr } from '../graph/expr.js';
import { macsByPart, macsOf } from '../graph/macs.js';
import { streamGraph } from './causalStream.js';
import type { NetworkConfig } from './config.js';
import { networkCost, newFrameMacs } from './cost.js';
import { evaluationGraph, type Intermediates, inventoryOf } from './network.js';
import { partsOf } from './parts.js';
import { networkConfig, networkNames } from './registry.js';
import { countValues } from './variables.js';

function graphOf(config: NetworkConfig): { logits: Expr; partOf: (node: Expr) => string } {
  const keep: Intermediates = new Map();
  const logits = evaluationGraph(config, 1, { keep });
  const parts = partsOf(config, keep);
  return { logits, partOf: (node) => parts.get(node) ?? '' };
}

for (const name of networkNames) {
  for (const frames of [1, 2, 8]) {
    test(`${name}, ${frames} frames: multiply-adds counted from the graph, part by part`, () => {
      const variants = [{}, { readout: 'linear' as const }].map((more) => ({
        ...networkConfig(name, { frames, height: 96, width: 64 }),
        ...more,
      }));
      for (const config of variants) {
        const { logits, partOf } = graphOf(config);
        const cost = networkCost(config);
        assert.equal(macsOf([logits]), cost.macs);
        const parts = macsByPart([logits], partOf);
        for (const layer of cost.layers) assert.equal(parts.get(layer.name) ?? 0, layer.macs, layer.name);
      }
    });
  }
}

for (const name of ['vmf-0.1g-causal', 'vmf-1g-causal']) {
  test(`${name}: a new frame of a stream`, () => {
    const config = networkConfig(name, { frames: 4, height: 64, width: 64, classes: 5 });
    const { parameters, statistics } = inventoryOf(config);
    const weights = {
      parameters: new Float32Array(countValues(parameters)),
      statistics: new Float32Array(countValues(statistics)),
    };
    assert.equal(macsOf(Object.values(streamGraph(config, weights))), newFrameMacs(config));
  });
}
