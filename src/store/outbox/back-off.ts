/** Rejections for a temporary reason after which a message fails: about six hours. */
export const MAX_FAILURES = 20;

const FIRST_RETRY_MS = 5_000;
const LAST_RETRY_MS = 30 * 60_000;
/** Share by which a delay varies up and down, so that messages that failed together do not come back together. */
const JITTER = 0.25;

/** Milliseconds until a message is tried again after its `failures`th rejection, from 1. */
export function retryDelay(failures: number, random: () => number): number {
  const delay = Math.min(LAST_RETRY_MS, FIRST_RETRY_MS * 2 ** (failures - 1));
  return Math.round(delay * (1 - JITTER + 2 * JITTER * random()));
}

const FIRST_PAUSE_MS = 1_000;
const LAST_PAUSE_MS = 60_000;
/** Temporary rejections in a row that are taken for bad luck; after them the modem or network has a problem. */
const PATIENCE = 3;

/** Milliseconds that a modem gets to recover after its `troubles`th fruitless try in a row, from 1. */
export function recoveryPause(troubles: number): number {
  return Math.min(LAST_PAUSE_MS, FIRST_PAUSE_MS * 2 ** Math.min(troubles - 1, 10));
}

/** Milliseconds that a modem rests after the `rejections`th temporary rejection in a row, from 1. */
export function rejectionPause(rejections: number): number {
  return rejections <= PATIENCE ? 0 : recoveryPause(rejections - PATIENCE);
}
