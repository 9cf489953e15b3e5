/** The port through which files are kept. Adapters: node/folderStore.ts, web/memoryStore.ts and web/databaseStore.ts. */

/** An opened file, read piece by piece. */
export interface StoredFile {
  readonly size: number;
  /** Exactly these bytes. */
  read(start: number, count: number): Promise<Uint8Array<ArrayBuffer>>;
  close(): Promise<void>;
}

/** Files of one folder, by name. All methods reject with a WeightsError that names the file. */
export interface FileStore {
  /** Opens a file; rejects where there is none. */
  open(name: string): Promise<StoredFile>;
  /** Replaces a file: whoever reads it meanwhile, or after a crash, finds the old content or the new one. */
  write(name: string, chunks: readonly Uint8Array[]): Promise<void>;
  /** Adds a line to a file of lines, which is made if there is none: whole, or not at all. What a killed writer cut off goes. */
  appendLine(name: string, line: string): Promise<void>;
  /** Names of all files, sorted. */
  list(): Promise<string[]>;
  /** Removes a file, if it is there. */
  remove(name: string): Promise<void>;
}
