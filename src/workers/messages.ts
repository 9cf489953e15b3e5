/**
 * Messages between a worker pool and its workers: a worker file calls `serveTasks` with one function per kind of task. Errors
 * cross the thread with their class and message.
 */
import {
  ConfigError,
  DatasetError,
  type ErrorDetails,
  LimitError,
  messageOf,
  ShapeError,
  VideoError,
  VmfError,
  WeightsError,
} from '../errors.js';
import type { ThreadPort } from '../platform/workerThread.js';

/** The kinds of task that a worker knows: what goes in and what comes out of each. */
export type TaskKinds = Record<string, { input: unknown; output: unknown }>;

export interface TaskMessage {
  readonly id: number;
  readonly kind: string;
  readonly input: unknown;
}

export interface PackedError {
  readonly name: string;
  readonly message: string;
  readonly stack?: string;
  readonly details?: ErrorDetails;
}

export type ReplyMessage =
  | { readonly id: number; readonly output: unknown }
  | { readonly id: number; readonly error: PackedError };

/** An answer whose buffers are moved to the caller, not copied: the worker must not use them again. */
export class Transferring<T> {
  constructor(
    readonly value: T,
    readonly buffers: readonly ArrayBuffer[],
  ) {}
}

export type TaskHandlers<Kinds extends TaskKinds> = {
  readonly [K in keyof Kinds]: (
    input: Kinds[K]['input'],
  ) => Kinds[K]['output'] | Transferring<Kinds[K]['output']> | Promise<Kinds[K]['output'] | Transferring<Kinds[K]['output']>>;
};

/** Answers a pool's tasks for the life of this thread. */
export function serveTasks<Kinds extends TaskKinds>(port: ThreadPort, handlers: TaskHandlers<Kinds>): void {
  port.listen(async (message) => {
    const { id, kind, input } = message as TaskMessage;
    const send = (reply: ReplyMessage, buffers: readonly ArrayBuffer[] = []) => port.post(reply, buffers);
    try {
      const handler = handlers[kind];
      if (handler === undefined) throw new Error(`the worker knows no task "${kind}"`);
      const output = await handler(input as Kinds[string]['input']);
      if (output instanceof Transferring) send({ id, output: output.value }, output.buffers);
      else send({ id, output });
    } catch (error) {
      send({ id, error: packError(error) });
    }
  });
}

const namedErrors: Readonly<Record<string, new (message: string, details?: ErrorDetails) => Error>> = {
  VmfError,
  VideoError,
  DatasetError,
  WeightsError,
  ConfigError,
  LimitError,
  ShapeError,
  RangeError,
  TypeError,
};

export function packError(error: unknown): PackedError {
  if (!(error instanceof Error)) return { name: 'Error', message: String(error) };
  const stack = error.stack === undefined ? {} : { stack: error.stack };
  if (!(error instanceof VmfError)) return { name: error.name, message: error.message, ...stack };
  const { name, reason, path, code, cause } = error;
  const details = { path, code, ...(cause !== undefined && { cause: messageOf(cause) }) };
  return { name, message: reason, details, ...stack };
}

/** The error as it was thrown, of the same class where the class is one that we know. */
export function unpackError(packed: PackedError): Error {
  const Named = Object.hasOwn(namedErrors, packed.name) ? namedErrors[packed.name] : undefined;
  const error = Named === undefined ? new Error(packed.message) : new Named(packed.message, packed.details);
  if (packed.stack !== undefined) error.stack = packed.stack;
  return error;
}
