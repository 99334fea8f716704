/**
 * How far one part is, in one small integer: ten thousand waiting messages must not cost ten thousand objects more.
 * Bits 0 to 2 the progress, bit 3 whether a copy of unknown fate went before, bits 8 to 15 the TP-MR.
 */
export type Part = number;

const PROGRESS = 0b111;
const COPY = 0b1000;
const MR_SHIFT = 8;

export const progress = {
  queued: 0,
  /** Given to a modem, and its answer not yet known; perhaps never. */
  attempted: 1,
  sent: 2,
  delivered: 3,
  undelivered: 4,
  expired: 5,
} as const;
export type Progress = (typeof progress)[keyof typeof progress];

export const progressOf = (part: Part): Progress => (part & PROGRESS) as Progress;
export const mrOf = (part: Part): number => part >> MR_SHIFT;
export const hasCopy = (part: Part): boolean => (part & COPY) !== 0;

/** The modem has it already. */
export const isSent = (part: Part): boolean => progressOf(part) >= progress.sent;

export const queuedPart: Part = progress.queued;

/** Tried once more while the fate of the last try is open: from now on a copy may be under way. */
export const attemptedPart = (part: Part): Part =>
  progress.attempted | (progressOf(part) === progress.attempted ? COPY : part & COPY);

/** Certainly not sent by the last try; an earlier copy stays as doubtful as it was. */
export const unsentPart = (part: Part): Part => progress.queued | (part & COPY);

export const sentPart = (part: Part, mr: number): Part => progress.sent | (part & COPY) | (mr << MR_SHIFT);

/** What a status report says of a part; `mr` is news when the modem's own answer was never seen. */
export const reportedPart = (part: Part, to: Progress, mr: number): Part => to | (part & COPY) | (mr << MR_SHIFT);
