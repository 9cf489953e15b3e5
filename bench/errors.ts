/** Arguments that mean nothing. Exit code 2. */
export class UsageError extends Error {}

/** Something the benchmark needs is not on this machine; the message says how to get it. Exit code 2. */
export class MissingError extends Error {}

/** What was measured is not what it claims to be: results differ, a process failed. Exit code 1. */
export class CheckError extends Error {}
