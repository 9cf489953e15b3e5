/** What ONNX Runtime's profiler writes, as far as it is about nodes. */

import { readdir, readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { z } from 'zod';

/** Shapes by the type of their elements. */
const shapesSchema = z.array(z.record(z.string(), z.array(z.number()))).default([]);
const eventSchema = z.object({
  cat: z.literal('Node'),
  name: z.string().endsWith('_kernel_time'),
  /** Microseconds. */
  dur: z.number(),
  args: z.object({ op_name: z.string(), input_type_shape: shapesSchema, output_type_shape: shapesSchema }),
});

/** One execution of a node. */
export type NodeEvent = z.infer<typeof eventSchema>;

/** The executions of nodes in the only profile of a folder. */
export async function nodeEvents(folder: string): Promise<NodeEvent[]> {
  const [file = ''] = await readdir(folder);
  const events = z.array(z.unknown()).parse(JSON.parse(await readFile(join(folder, file), 'utf8')));
  return events.flatMap((event) => eventSchema.safeParse(event).data ?? []);
}
