import type { PhoneNumber } from '../base/phone-number.ts';
import type { Encoding } from './message.ts';

/** One part, ready to be made a SMS-SUBMIT by the modem that takes it. */
export interface PartToSend {
  readonly number: PhoneNumber;
  readonly dcs: number;
  readonly pid: number;
  /** User data header without its length octet; empty for none. */
  readonly udh: Uint8Array;
  /** User data after the header: one septet an octet for GSM 7-bit, octets otherwise. */
  readonly data: Uint8Array;
  /** Ask the network for a status report (TP-SRR). */
  readonly report: boolean;
  /** Seconds the service centre may keep trying, for TP-VP. */
  readonly validity: number;
}

/** A message as the parts that go over the air. */
export interface EncodedMessage {
  readonly encoding: Encoding;
  readonly dcs: number;
  readonly pid: number;
  readonly parts: readonly Pick<PartToSend, 'udh' | 'data'>[];
}

/** A part that was refused, and so most likely not sent. */
export interface Rejection {
  readonly type: 'rejected';
  /**
   * Who refused it. The network's word is certain; a modem that gives an error of its own is sometimes wrong, and the
   * message left. `gateway`: no modem has seen the part.
   */
  readonly by: 'network' | 'modem' | 'gateway';
  /** What is at fault: this message, or the modem or the network, which other messages meet as well. */
  readonly fault: 'message' | 'modem' | 'network' | 'unknown';
  /** A retry cannot end otherwise. */
  readonly permanent: boolean;
  /** The number of the error, when there was one. */
  readonly cause?: number;
  /** A sentence for people. */
  readonly reason: string;
}

/** How handing one part to a modem ended. */
export type SendOutcome =
  /** The network took it. `mr` is the TP-MR the modem reported. */
  | { readonly type: 'accepted'; readonly mr: number }
  | Rejection
  /** Certainly not sent, and not the message's fault: the modem is away, has no network, gave no prompt. */
  | { readonly type: 'unavailable'; readonly reason: string }
  /** The PDU went out and no answer came back: perhaps sent. */
  | { readonly type: 'ambiguous'; readonly reason: string };

/** What the outbox sees of a modem. */
export interface Sender {
  readonly name: string;
  /** Whether it could send at this moment. `gateway` calls `Outbox.senderChanged` when this changes. */
  readonly ready: boolean;
  /**
   * Changes whenever the modem may have started to count TP-MR afresh (a reset, a power loss). 0: not since the last run
   * of the gateway either.
   */
  readonly epoch: number;
  /**
   * The modem refuses one message after the other: set it up again, and if that was done already,
   * restart it. Called again with growing pauses until the modem takes messages.
   */
  refusesAll?(): void;
  /** Never rejects. One call at a time. */
  send(part: PartToSend, signal: AbortSignal): Promise<SendOutcome>;
}

/** The sending rules of a modem, from its UCI section. */
export interface SenderLimits {
  /** Milliseconds from one part to the next, at least. */
  readonly interval: number;
  /** Parts a day, by the local calendar; 0 for no limit. */
  readonly daily: number;
  /** Whether messages that say nothing of it ask for delivery reports. */
  readonly reports?: boolean;
}

/** What a SMS-STATUS-REPORT says of one part. */
export interface PartReport {
  readonly modem: string;
  readonly mr: number;
  /** The recipient as the network writes it. */
  readonly number: string;
  /** TP-ST octet, TS 23.040 9.2.3.15. */
  readonly status: number;
  /** Time of discharge, ms since the epoch. */
  readonly discharged: number;
}

/** Longest sentence of a modem or network that is kept with a message. */
const MAX_REASON = 200;

export const clipped = (reason: string): string => reason.slice(0, MAX_REASON);

/** Why the modem or the network refused a part, with its cause at the end. */
export function refusal(reason: string, cause: number | undefined): string {
  return cause === undefined ? clipped(reason) : `${clipped(reason)} (cause ${cause})`;
}

/** The cause in the error of a message; undefined when none was given. */
export function causeIn(error: string | undefined): number | undefined {
  const [, cause] = /\(cause ([0-9]{1,3})\)$/.exec(error ?? '') ?? [];
  return cause === undefined ? undefined : Number(cause);
}
