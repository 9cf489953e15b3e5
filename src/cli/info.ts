/** `vmf info [NAME]`: configuration and cost of a network. */
import { readFileSync } from 'node:fs';
import { Command } from 'commander';
import { type FrameShape, sizeText } from '../clip/clipShape.js';
import { ConfigError, systemCode } from '../errors.js';
import type { NetworkConfig } from '../models/config.js';
import { type LayerCost, networkCost, newFrameMacs } from '../models/cost.js';
import { networksOf, pretrainedList } from '../models/pretrained.js';
import { pretrainedWeights } from '../models/pretrainedCatalogue.js';
import { modelOf, networkConfig, networkNames, parseNetworkConfig } from '../models/registry.js';
import { frameSize, whole } from './arguments.js';
import { jsonText, textTable } from './textTable.js';

interface Flags {
  readonly json?: boolean;
  readonly layers?: boolean;
  readonly classes?: number;
  readonly frames?: number;
  readonly size?: FrameShape;
  readonly config?: string;
  readonly weights?: string;
  readonly pretrained?: boolean;
}

export function infoCommand(): Command {
  return new Command('info')
    .description('what a network is and costs: all named ones, one of them, one of your own, or one in a weights file')
    .argument('[name]', `one of ${networkNames.join(', ')} (default: a table of all)`)
    .option('--config <file>', 'a configuration of your own as JSON, instead of a name')
    .option('--weights <file>', 'the network in a weights or model file, or of pretrained weights by name')
    .option('--pretrained', 'the pretrained weights that come with this version')
    .option('--classes <n>', 'with this many classes', whole(1))
    .option('--frames <n>', 'with clips of this many frames', whole(1))
    .option('--size <HxW>', 'with frames of this height and width in pixels; one number for a square', frameSize)
    .option('--layers', 'with a row a block')
    .option('--json', 'print as JSON; without a name an array')
    .action(run);
}

async function run(name: string | undefined, flags: Flags): Promise<void> {
  const given = [name, flags.config, flags.weights, flags.pretrained].filter((source) => source !== undefined);
  if (given.length > 1) throw new ConfigError('info: a name, --config, --weights and --pretrained exclude each other');
  if (flags.pretrained) return printPretrained(flags.json === true);
  if (flags.weights !== undefined) return print([await ofWeights(flags.weights, flags)], flags, true);
  if (flags.config !== undefined) return print([changed(readConfig(flags.config), flags, flags.config)], flags, true);
  const names = name === undefined ? networkNames : [name];
  print(
    names.map((each) => changed(networkConfig(each), flags, each)),
    flags,
    name !== undefined,
  );
}

function changed(config: NetworkConfig, { classes, frames, size }: Flags, where: string): NetworkConfig {
  const asked = { ...(classes && { classes }), ...(frames && { frames }), ...size };
  return parseNetworkConfig({ ...config, ...asked }, where);
}

async function ofWeights(given: string, { classes, frames, size }: Flags): Promise<NetworkConfig> {
  if (classes ?? frames ?? size)
    throw new ConfigError('info: weights are for their own classes, frames and size; leave those out');
  const [{ locateWeights }, { isOnnxFile, readOnnxWeights }] = await Promise.all([
    import('../weights/locateWeights.js'),
    import('../weights/onnxFile.js'),
  ]);
  const path = await locateWeights(given);
  if (await isOnnxFile(path)) return (await readOnnxWeights(path)).config;
  const [{ parseCheckpoint }, { readSafetensors }] = await Promise.all([
    import('../weights/checkpoint.js'),
    import('../weights/files.js'),
  ]);
  return parseCheckpoint(await readSafetensors(path), path).config;
}

/** A network from a JSON file. ConfigError when it cannot be read, is no JSON, or describes no network. */
export function readConfig(path: string): NetworkConfig {
  try {
    return parseNetworkConfig(JSON.parse(readFileSync(path, 'utf8')), path);
  } catch (error) {
    if (error instanceof SyntaxError) throw new ConfigError(`is no JSON: ${error.message}`, { path });
    const code = systemCode(error);
    if (code !== undefined) throw new ConfigError(`cannot be read (${code})`, { path });
    throw error;
  }
}

function print(configs: readonly NetworkConfig[], { json, layers }: Flags, single: boolean): void {
  const rows = configs.map((config) => facts(config, layers === true));
  const flat = rows.map(({ name, family, own, ...facts }) => ({ name, family, ...own, ...facts }));
  if (json) process.stdout.write(jsonText(single ? flat[0] : flat));
  else process.stdout.write(describe(rows));
}

interface Facts {
  readonly name: string;
  readonly family: string;
  /** Entries of this family only. */
  readonly own: Readonly<Record<string, string | number>>;
  readonly frames: number;
  readonly height: number;
  readonly width: number;
  readonly classes: number;
  readonly parameters: number;
  /** Per view. */
  readonly macs: number;
  /** Per new frame of a stream; causal networks only. */
  readonly newFrameMacs?: number;
  readonly layers?: readonly LayerCost[];
}

function facts(config: NetworkConfig, withLayers: boolean): Facts {
  const { family, name, frames, height, width, classes } = config;
  const { parameters, macs, layers } = networkCost(config);
  const streamed = config.causal ? { newFrameMacs: newFrameMacs(config) } : {};
  const own = modelOf(config).facts(config);
  return { name, family, own, frames, height, width, classes, parameters, macs, ...streamed, ...(withLayers && { layers }) };
}

function describe(rows: readonly Facts[]): string {
  const own = [...new Set(rows.flatMap((row) => Object.keys(row.own)))];
  const common = ['frames', 'size', 'classes', 'parameters', 'macs'] as const;
  const table = textTable(
    ['name', ...own, ...common],
    rows.map((row) => [
      row.name,
      ...own.map((column) => grouped(row.own[column] ?? '-')),
      ...common.map((column) => grouped(column === 'size' ? sizeText(row) : row[column])),
    ]),
  );
  return [table, ...rows.filter((row) => row.layers).map(layerTable)].join('\n');
}

function layerTable({ name, layers = [] }: Facts): string {
  const columns = ['name', 'kind', 'channels', 'size', 'stride', 'temporal', 'parameters', 'macs'] as const;
  const rows = layers.map((layer) => columns.map((column) => grouped(column === 'size' ? sizeText(layer) : layer[column])));
  return `${name}, block by block\n${textTable(columns, rows)}`;
}

function printPretrained(json: boolean): void {
  const rows = pretrainedWeights.map((entry) => ({ ...entry, networks: networksOf(entry) }));
  if (json) process.stdout.write(jsonText(rows));
  else if (rows.length === 0) process.stdout.write(`pretrained weights: ${pretrainedList()}\n`);
  else
    process.stdout.write(
      textTable(
        ['name', 'networks', 'bytes', 'knows', 'terms'],
        rows.map(({ name, networks, bytes, knows, terms }) => [name, networks.join(', '), grouped(bytes), knows, terms]),
      ),
    );
}

/** 1234567 as 1,234,567, without Intl, which takes 12 ms to load. */
const grouped = (value: string | number): string =>
  typeof value === 'number' ? String(value).replaceAll(/\B(?=(\d{3})+$)/g, ',') : value;
