#!/usr/bin/env node
/**
 * `vmf VERB ...`. Exit codes: 0 done; 1 `check` found problems, or a bug; 2 bad arguments or input, one line on stderr; 130
 * Ctrl-C. VMF_DEBUG=1 prints stacks.
 */
import { Command, CommanderError } from 'commander';
import { messageOf, VmfError } from '../errors.js';
import { renamedFlags } from '../train/recipe/renamed.js';
import { packageVersion } from '../weights/packageVersion.js';

/** Imported lazily, since verbs bring large libraries; in order of use. */
const verbs: Readonly<Record<string, () => Promise<Command>>> = {
  demo: async () => (await import('./demo.js')).demoCommand(),
  synth: async () => (await import('./synth.js')).synthCommand(),
  check: async () => (await import('./check.js')).checkCommand(),
  train: async () => (await import('./train.js')).trainCommand(),
  eval: async () => (await import('./eval.js')).evalCommand(),
  report: async () => (await import('./report.js')).reportCommand(),
  predict: async () => (await import('./predict.js')).predictCommand(),
  suggest: async () => (await import('./suggest.js')).suggestCommand(),
  explain: async () => (await import('./explain.js')).explainCommand(),
  convert: async () => (await import('./convert.js')).convertCommand(),
  export: async () => (await import('./export.js')).exportCommand(),
  quantize: async () => (await import('./quantize.js')).quantizeCommand(),
  stream: async () => (await import('./stream.js')).streamCommand(),
  info: async () => (await import('./info.js')).infoCommand(),
  bench: async () => (await import('./bench.js')).benchCommand(),
};

const examples = `
Examples:
  vmf synth actions                                   draw a small data set
  vmf train actions --out run                         learn it
  vmf eval actions --weights run/best.safetensors     test on clips never seen
  vmf predict clip.mp4 --weights run/best.safetensors

vmf VERB --help tells more about each.`;

let interrupted = false;

/** A command with a listener shuts down in order, once; a second Ctrl-C, or one without a listener, exits at once. */
process.on('SIGINT', () => {
  if (interrupted || process.listenerCount('SIGINT') === 1) process.exit(130);
  interrupted = true;
});

/** The reader of stdout closed it (`vmf info | head -1`): no error. */
process.stdout.on('error', (error: NodeJS.ErrnoException) => {
  if (error.code === 'EPIPE') process.exit(0);
  throw error;
});

try {
  const program = await programFor(process.argv[2]);
  await program.parseAsync();
} catch (error) {
  process.exitCode = report(error);
}

async function programFor(verb: string | undefined): Promise<Command> {
  const program = new Command('vmf')
    .description('Video Mobile-Former: learn actions from labelled videos, test, recognise')
    .usage('VERB [options]')
    .version(packageVersion(), '-V, --version', 'print the version')
    .addHelpText('after', examples);
  const one = verb !== undefined && Object.hasOwn(verbs, verb) ? [verbs[verb]] : undefined;
  const known = one ?? (verb === '-V' || verb === '--version' ? [] : Object.values(verbs));
  for (const load of known) if (load) program.addCommand(await load());
  for (const command of [program, ...program.commands]) command.exitOverride().configureOutput({ outputError: () => {} });
  return program;
}

function report(error: unknown): number {
  if (error instanceof CommanderError) return reportUsage(error);
  const known = error instanceof VmfError;
  const text = messageOf(error);
  if (interrupted) {
    tell(known ? text : 'interrupted');
    return 130;
  }
  if (known) tell(text);
  else tell(`unexpected error: ${text} (a fault of this program; VMF_DEBUG=1 shows where)`);
  if (process.env['VMF_DEBUG'] && error instanceof Error) process.stderr.write(`${error.stack}\n`);
  return known ? 2 : 1;
}

function reportUsage(error: CommanderError): number {
  if (error.code === 'commander.helpDisplayed' || error.code === 'commander.version') return 0;
  if (error.code !== 'commander.help') tell(renamedOption(error) ?? error.message.replace(/^error: /, ''));
  return 2;
}

function renamedOption({ code, message }: CommanderError): string | undefined {
  const old = code === 'commander.unknownOption' ? /'--([\w-]+)/.exec(message)?.[1] : undefined;
  const now = old === undefined || !Object.hasOwn(renamedFlags, old) ? undefined : renamedFlags[old];
  return now && `--${old} is called --${now} now`;
}

function tell(text: string): void {
  process.stderr.write(`vmf: ${text.replace(/\s*[\r\n]+\s*/g, ' ')}\n`);
}
