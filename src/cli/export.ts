/** `vmf export`: ONNX models or smaller weights, checked before they are written. */
import { Command } from 'commander';
import { ConfigError } from '../errors.js';
import { type ExportOptions, type ExportSummary, exportOnnx, exportSafetensors } from '../export/exportWeights.js';
import { abortable } from './abortable.js';
import { whole } from './arguments.js';
import { megabytes, quantizeAndReport } from './quantize.js';
import { jsonText } from './textTable.js';

interface Flags {
  readonly weights: string;
  readonly onnx?: string;
  readonly safetensors?: string;
  readonly fp16?: boolean;
  readonly int8?: boolean;
  readonly calibrate?: string;
  readonly clips?: number;
  readonly force?: boolean;
  readonly json?: boolean;
}

export function exportCommand(): Command {
  return new Command('export')
    .description('write a network as an ONNX model for any ONNX Runtime (standard operators, any batch), or as smaller weights')
    .requiredOption('--weights <file>', 'weights that `vmf train` wrote, or pretrained ones by name')
    .option(
      '--onnx <file>',
      'write an ONNX model: clip [batch, frames, 3, size, size] in RGB 0 to 255 -> logits [batch, classes]',
    )
    .option('--safetensors <file>', 'write weights without the state of a training')
    .option('--fp16', 'store the weights as float16: half the size')
    .option('--int8', 'quantise, as `vmf quantize` does; needs --calibrate')
    .option('--calibrate <data>', 'with --int8: the clips to calibrate on')
    .option('--clips <n>', 'with --int8: how many of them (default: 64)', whole(1))
    .option('--force', 'replace a file that is there')
    .option('--json', 'print as JSON')
    .action((flags: Flags) => abortable('export', (signal) => run(flags, signal)));
}

async function run(flags: Flags, signal: AbortSignal): Promise<void> {
  const { weights, onnx, safetensors, calibrate } = flags;
  if ((onnx === undefined) === (safetensors === undefined))
    throw new ConfigError('export: give either --onnx or --safetensors, the file to write');
  if (flags.int8) {
    if (onnx === undefined || flags.fp16) throw new ConfigError('export: --int8 goes with --onnx and without --fp16');
    if (calibrate === undefined) throw new ConfigError('export: --int8 needs --calibrate DATA, clips to calibrate on');
    return quantizeAndReport({ ...flags, calibrate, out: onnx }, signal);
  }
  if (calibrate !== undefined || flags.clips !== undefined)
    throw new ConfigError('export: --calibrate and --clips go with --int8');
  const { fp16 = false, force = false } = flags;
  const options: ExportOptions = { fp16, force, signal };
  const summary =
    onnx === undefined ? await exportSafetensors(weights, safetensors ?? '', options) : await exportOnnx(weights, onnx, options);
  process.stdout.write(flags.json ? jsonText(summary) : describe(summary));
}

function describe({ path, bytes, model, largestDifference, largestLogit }: ExportSummary): string {
  const difference = largestDifference === 0 ? 'none' : largestDifference.toPrecision(2);
  return [
    `${path}: ${model}, ${megabytes(bytes)}`,
    `checked at batch 1 and 3: largest difference of a logit ${difference} (logits up to ${largestLogit.toFixed(2)})\n`,
  ].join('\n');
}
