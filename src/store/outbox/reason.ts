/** Longest sentence of a modem or network that is kept with a message. */
const MAX_REASON = 200;

export const clipped = (reason: string): string => reason.slice(0, MAX_REASON);

/** Why the modem or the network refused a part, with its cause (TS 24.011 8.2.5.4, TS 27.005 3.2.5) at the end. */
export function refusal(reason: string, cause: number | undefined): string {
  return cause === undefined ? clipped(reason) : `${clipped(reason)} (cause ${cause})`;
}

/** The cause in the error of a message; undefined when none was given. */
export function causeIn(error: string | undefined): number | undefined {
  const [, cause] = /\(cause ([0-9]{1,3})\)$/.exec(error ?? '') ?? [];
  return cause === undefined ? undefined : Number(cause);
}
