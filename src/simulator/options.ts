import type { Clock } from '../base/clock.ts';
import type { SentMessage } from './messages.ts';

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
  readonly deviations?: Partial<Deviations>;
  /** The subscriber at the other end answers what was sent to it: with a friendly text, or with what this returns. */
  readonly answerBack?: boolean | ((message: SentMessage) => string | undefined);
}

/** Where modem families leave the standard. The default is a modem that keeps to it. */
export interface Deviations {
  /** First index of a message storage. */
  readonly indexBase: 0 | 1;
  /** `+CMGL: 17,3,35`: no alpha field between two commas (Wavecom). */
  readonly noAlphaField: boolean;
  /** `+CPMS: "SM","ME"` without brackets and with empty ones behind, for the test command. */
  readonly bareMemoryList: boolean;
  /** `+CREG: 2, 1, 01A2, 0B3C`: unquoted hexadecimal and blanks. */
  readonly unquotedCells: boolean;
  /** `+CPIN` without a final OK (Wavecom). */
  readonly pinWithoutOk: boolean;
  /** `COMMAND NOT SUPPORT` instead of ERROR for an unknown command (Huawei E1752). */
  readonly commandNotSupport: boolean;
  /** +CNMI knows no ds=1, status reports are only stored. */
  readonly noDirectReports: boolean;
  /** `+CDSI: "SM"` although the report lies in SR (Quectel EC25). */
  readonly reportIndicationNamesSim: boolean;
  /** `^SMMEMFULL: "SM"` when a message finds no room. */
  readonly memoryFullIndication: boolean;
  /** +CMGD of an empty index answers +CMS ERROR: 321 instead of OK. */
  readonly deleteEmptyFails: boolean;
  /** TP-MR starts at 0 after a reboot, instead of going on from the SIM (EF_SMSS). */
  readonly referenceRestarts: boolean;
  /** Vendor codes come without the leading CR LF: `^RSSI:14\r\n`. */
  readonly bareVendorCodes: boolean;
}

export const toTheStandard: Deviations = {
  indexBase: 1,
  noAlphaField: false,
  bareMemoryList: false,
  unquotedCells: false,
  pinWithoutOk: false,
  commandNotSupport: false,
  noDirectReports: false,
  reportIndicationNamesSim: false,
  memoryFullIndication: false,
  deleteEmptyFails: false,
  referenceRestarts: false,
  bareVendorCodes: true,
};
