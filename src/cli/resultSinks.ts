/** Outputs of `vmf predict`, written as results come: text, JSON or CSV on stdout, or a growing file. */
import type { ResultFile } from '../inference/resultFile.js';
import { describe, type PrintedAnswer, printedColumns, rowsOf } from './resultRows.js';
import { csvTable, jsonText } from './textTable.js';

export interface AnswerSink {
  add(answer: PrintedAnswer): void;
  close(): void;
}

const print = (text: string) => process.stdout.write(text);

export const textSink: AnswerSink = {
  add: (answer) => {
    if (!('error' in answer)) print(describe(answer));
  },
  close: () => {},
};

/** An array with an object per video. */
export function jsonSink(): AnswerSink {
  let count = 0;
  return {
    add: (answer) => {
      const lines = jsonText(answer).trimEnd().replaceAll('\n', '\n  ');
      print(`${count++ === 0 ? '[' : ','}\n  ${lines}`);
    },
    close: () => print(count === 0 ? '[]\n' : '\n]\n'),
  };
}

/** Videos that cannot be read have no row here: the message on stderr is all. */
export function csvSink(): AnswerSink {
  let begun = false;
  const begin = () => {
    if (!begun) print(csvTable(printedColumns, []));
    begun = true;
  };
  return {
    add: (answer) => {
      begin();
      if ('error' in answer) return;
      const rows = rowsOf(answer).map((row) => printedColumns.map((column) => row[column] as string | number));
      print(csvTable(printedColumns, rows).slice(printedColumns.join().length + 1));
    },
    close: begin,
  };
}

export function fileSink(file: ResultFile, format: 'jsonl' | 'csv'): AnswerSink {
  return {
    add: (answer) => file.add(format === 'csv' ? rowsOf(answer) : [{ ...answer }]),
    close: () => file.close(),
  };
}
