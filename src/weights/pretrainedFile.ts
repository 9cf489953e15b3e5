import { WeightsError } from '../errors.js';
import type { PretrainedWeights } from '../models/pretrained.js';

/** Name of the weights' file, in pretrained/ of this package or wherever a page keeps it. */
export const pretrainedFileName = ({ name }: Pick<PretrainedWeights, 'name'>): string => `${name}.safetensors`;

/** WeightsError, with the path `where`, when these are not the very bytes that the catalogue has. */
export async function checkPretrained(
  { name, bytes: size, sha256 }: PretrainedWeights,
  bytes: Uint8Array<ArrayBuffer>,
  where: string,
): Promise<void> {
  const refuse = (got: string): never => {
    const reason = `not the pretrained weights ${name} of this version: ${got}; install the package again or take its file`;
    throw new WeightsError(reason, { path: where });
  };
  if (bytes.length !== size) refuse(`${bytes.length} bytes, expected ${size}`);
  if (globalThis.crypto?.subtle === undefined)
    throw new WeightsError('its digest cannot be checked: Web Crypto needs a page of https or localhost', { path: where });
  const digest = hexadecimal(new Uint8Array(await crypto.subtle.digest('SHA-256', bytes)));
  if (digest !== sha256) refuse(`SHA-256 ${digest}, expected ${sha256}`);
}

const hexadecimal = (bytes: Uint8Array): string => [...bytes].map((byte) => byte.toString(16).padStart(2, '0')).join('');
