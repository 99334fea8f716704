import type { Clock } from '../base/clock.ts';
import type { SentMessage } from './messages.ts';
import type { Quirks } from './quirks.ts';

/** Milliseconds that the simulated world takes. */
export interface Latency {
  /** From the end of a command line to its answer. */
  readonly answer: number;
  /** From a complete SMS-SUBMIT to the network's acceptance, on top of `answer`. */
  readonly submit: number;
  /** From the network's acceptance to the status report. */
  readonly report: number;
  /** From power-on, or the PIN, to registration. */
  readonly registration: number;
  /** From a sent message to the subscriber's answer, with `answerBack`. */
  readonly answerBack: number;
  /** How long a reboot takes. */
  readonly boot: number;
  /** How long the modem waits for +CNMA before it switches routing off (TS 27.005 3.4.4). */
  readonly acknowledge: number;
  /** After which time the network tries a message again that the modem refused for another reason than memory. */
  readonly redelivery: number;
}

export const noLatency: Latency = {
  answer: 0,
  submit: 0,
  report: 0,
  registration: 0,
  answerBack: 1_000,
  boot: 0,
  acknowledge: 15_000,
  redelivery: 30_000,
};

/** How many messages each storage holds. */
export interface MemorySizes {
  readonly SM: number;
  readonly ME: number;
  readonly SR: number;
}

export interface SimulatorOptions {
  readonly clock?: Clock;
  readonly latency?: Partial<Latency>;
  /** A number sizes the SIM storage alone. */
  readonly memory?: number | Partial<MemorySizes>;
  /** The SIM asks for it; absent for a SIM without one. */
  readonly pin?: string;
  readonly puk?: string;
  /** False: no SIM in the slot. */
  readonly sim?: boolean;
  readonly number?: string;
  readonly smsc?: string;
  readonly operator?: string;
  readonly imei?: string;
  readonly imsi?: string;
  readonly iccid?: string;
  readonly quirks?: Partial<Quirks>;
  /** The subscriber at the other end answers what was sent to it: with a friendly text, or with what this returns. */
  readonly answerBack?: boolean | ((message: SentMessage) => string | undefined);
}
