/** 0.9342 -> "93.4 %". */
export const percent = (share: number, digits = 1): string => `${(100 * share).toFixed(digits)} %`;
