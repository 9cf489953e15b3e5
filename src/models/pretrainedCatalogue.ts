export interface PretrainedWeights {
  readonly name: string;
  /** A network that the weights are of; `pretrainedFor` finds the others. */
  readonly network: string;
  /** Size and SHA-256 (hexadecimal) of pretrained/NAME.safetensors. */
  readonly bytes: number;
  readonly sha256: string;
  /** What the labels are, in a few words. */
  readonly knows: string;
  /** What they may be used for, in a few words; the card names every source. */
  readonly terms: string;
}

/** One line a file of the folder pretrained/, written by `node scripts/addPretrained.mjs`. The first that fits a network is its default. */
// biome-ignore format: a line each
export const pretrainedWeights: readonly PretrainedWeights[] = [
  // end of the catalogue
];
