import { readdir, readFile } from 'node:fs/promises';
import { join } from 'node:path';
import * as v from 'valibot';
import { matching, number } from '../schema.js';

const shapesSchema = v.optional(v.array(v.record(v.string(), v.array(number()))), []);
const eventSchema = v.object({
  cat: v.literal('Node'),
  name: v.pipe(v.string(), v.endsWith('_kernel_time')),
  /** Microseconds. */
  dur: number(),
  args: v.object({ op_name: v.string(), input_type_shape: shapesSchema, output_type_shape: shapesSchema }),
});

/** One execution of a node. */
export type NodeEvent = v.InferOutput<typeof eventSchema>;

/** The executions of nodes in the only profile of a folder. */
export async function nodeEvents(folder: string): Promise<NodeEvent[]> {
  const [file = ''] = await readdir(folder);
  const events = v.parse(v.array(v.unknown()), JSON.parse(await readFile(join(folder, file), 'utf8')));
  return events.flatMap((event) => matching(eventSchema, event) ?? []);
}
