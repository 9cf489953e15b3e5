import type { StoredFile } from '../platform/fileStore.js';
import type { NamedTensor, TensorFile } from './namedTensor.js';
import { tensorFromBytes } from './safetensors.js';
import { headerLength, lengthBytes, readLayout } from './safetensorsLayout.js';

/** Header and size are checked before memory for tensors is taken. `where` names the file in the WeightsError; it is closed in any case. */
export async function readTensorFile(file: StoredFile, where: string): Promise<TensorFile> {
  try {
    const { size } = file;
    const first = await file.read(0, Math.min(lengthBytes, size));
    const dataStart = lengthBytes + headerLength(first, size, where);
    const header = await file.read(lengthBytes, dataStart - lengthBytes);
    const layout = readLayout(header, size - dataStart, where);
    const tensors = new Map<string, NamedTensor>();
    for (const place of layout.tensors) {
      const data = await file.read(dataStart + place.begin, place.end - place.begin);
      tensors.set(place.name, tensorFromBytes(place, data.buffer));
    }
    return { metadata: layout.metadata, tensors };
  } finally {
    await file.close();
  }
}
