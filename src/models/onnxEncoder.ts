import * as v from 'valibot';
import { ConfigError } from '../errors.js';
import { integer } from '../schema.js';
import { commonFields, type NetworkConfig } from './config.js';
import type { Model } from './model.js';

const family = 'onnx';

const schema = v.strictObject({
  family: v.literal(family),
  ...commonFields,
  readout: v.literal('linear'),
  /** The output, or intermediate value, that the readout reads. */
  output: v.pipe(v.string(), v.minLength(1)),
  /** Values of the readout's vector. */
  features: integer(1),
  /** Of the file; multiply-adds of one clip. */
  parameters: integer(0),
  macs: integer(0),
});

export type OnnxEncoderConfig = Readonly<v.InferOutput<typeof schema>>;

/** With `classes` for the readout. */
export const onnxEncoderConfig = (fields: Omit<OnnxEncoderConfig, 'family' | 'dropout' | 'readout'>): OnnxEncoderConfig => ({
  ...fields,
  ...{ family, dropout: 0, readout: 'linear' },
});

export const isOnnxEncoder = (config: NetworkConfig): config is OnnxEncoderConfig => config.family === family;

/**
 * A frozen network of other origin with a linear readout on its features. It lies in an ONNX file and runs as it is
 * (inference/onnxFeatures.ts), so there is no graph of it here: it is neither trained nor exported.
 */
export const onnxEncoder: Model<OnnxEncoderConfig> = {
  ...{ family, schema, variants: [] },
  features: (_, config) => refuse(config),
  head: (_, config) => refuse(config),
  readout: () => refuse({ name: family }),
  isClassifier: () => false,
  layerGroup: () => 0,
  parts: () => [],
  facts: ({ output }) => ({ output }),
  traits: ({ output }) => ({ 'frozen features': output }),
  cost: ({ parameters, macs, features, classes }) => ({
    parameters: parameters + (features + 1) * classes,
    macs: macs + features * classes,
  }),
};

function refuse({ name }: Pick<NetworkConfig, 'name'>): never {
  throw new ConfigError(`${name}: is a frozen ONNX network, which runs as it is; predict and eval take it`);
}
