/** Files in IndexedDB: they outlast the page, and a transaction replaces one whole or not at all. */
import { messageOf, WeightsError } from '../errors.js';
import type { FileStore } from '../platform/fileStore.js';
import { blobOf, storedBlob, withLine } from './memoryStore.js';

const table = 'files';

/** `database` is the name under which the origin keeps them; where the page may not keep anything, all methods reject. */
export function databaseStore(database: string): FileStore {
  let opened: Promise<IDBDatabase> | undefined;
  const run = async <T>(mode: IDBTransactionMode, name: string, ask: (files: IDBObjectStore) => IDBRequest<T>): Promise<T> => {
    try {
      opened ??= openDatabase(database);
      return await answered((await opened).transaction(table, mode), ask);
    } catch (error) {
      opened = undefined;
      throw new WeightsError(`IndexedDB failed (${messageOf(error)})`, { path: name });
    }
  };
  return {
    open: async (name) => storedBlob(await run<Blob | undefined>('readonly', name, (files) => files.get(name)), name),
    write: async (name, chunks) => void (await run('readwrite', name, (files) => files.put(blobOf(chunks), name))),
    appendLine: async (name, line) =>
      void (await run<Blob | undefined>('readwrite', name, (files) => addLine(files, name, line))),
    list: async () => (await run('readonly', database, (files) => files.getAllKeys())).map(String).sort(),
    remove: (name) => run('readwrite', name, (files) => files.delete(name)),
  };
}

function addLine(files: IDBObjectStore, name: string, line: string): IDBRequest<Blob | undefined> {
  const read: IDBRequest<Blob | undefined> = files.get(name);
  read.onsuccess = () => files.put(withLine(read.result, line), name);
  return read;
}

function openDatabase(name: string): Promise<IDBDatabase> {
  const request = indexedDB.open(name, 1);
  request.onupgradeneeded = () => request.result.createObjectStore(table);
  return new Promise((resolve, reject) => {
    request.onsuccess = () => resolve(request.result);
    request.onerror = () => reject(request.error);
  });
}

/** The answer, once the transaction is committed. */
function answered<T>(transaction: IDBTransaction, ask: (files: IDBObjectStore) => IDBRequest<T>): Promise<T> {
  return new Promise((resolve, reject) => {
    const request = ask(transaction.objectStore(table));
    transaction.oncomplete = () => resolve(request.result);
    transaction.onerror = () => reject(transaction.error);
    transaction.onabort = () => reject(transaction.error);
  });
}
