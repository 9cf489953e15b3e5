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
  { name: 'vmf-52m', network: 'vmf-0.1g', bytes: 5366812, sha256: '7409713e586c238a834eca864b9c25119bf0bc86e429a319327fee5f140c9653', knows: '113 captured motions, by rendered clips', terms: 'research and evaluation only' },
  // end of the catalogue
];
