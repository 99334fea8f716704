/** The character sets of +CSCS. */
export type CharacterSet = 'GSM' | 'IRA' | 'UCS2';

/** What AT commands set and a reboot forgets. */
export interface Settings {
  echo: boolean;
  verbose: boolean;
  quiet: boolean;
  /** +CMEE: 0 ERROR, 1 numbers, 2 words. */
  errorLevel: number;
  readonly registers: Map<number, number>;
  charset: CharacterSet;
  textMode: boolean;
  /** +CSMS: 0 phase 2, 1 phase 2+, where +CMT and +CDS want a +CNMA. */
  service: number;
  /** +CNMI: TS 27.005 3.4.1. */
  indications: Indications;
  /** +CPMS: read and delete, write and send, receive. */
  memories: readonly [StorageName, StorageName, StorageName];
  /** +CSMP, in octets. */
  textParameters: { readonly fo: number; readonly vp: number; readonly pid: number; readonly dcs: number };
  /** +CSDH. */
  showHeader: boolean;
  moreMessages: number;
  /** Reporting mode of +CREG, +CGREG and +CEREG. */
  readonly registrationReports: Map<string, number>;
  /** +COPS format: 0 long, 1 short, 2 numeric. */
  operatorFormat: number;
  ussdReports: number;
  callerId: number;
}

export interface Indications {
  readonly mode: number;
  readonly mt: number;
  readonly bm: number;
  readonly ds: number;
  readonly bfr: number;
}

/** SIM, modem, and status reports. */
export type StorageName = 'SM' | 'ME' | 'SR';

export function freshSettings(): Settings {
  return {
    echo: true,
    verbose: true,
    quiet: false,
    errorLevel: 0,
    registers: new Map([
      [0, 0],
      [3, 13],
      [4, 10],
      [5, 8],
    ]),
    charset: 'GSM',
    textMode: false,
    service: 0,
    indications: { mode: 0, mt: 0, bm: 0, ds: 0, bfr: 0 },
    memories: ['SM', 'SM', 'SM'],
    textParameters: { fo: 17, vp: 167, pid: 0, dcs: 0 },
    showHeader: false,
    moreMessages: 0,
    registrationReports: new Map(),
    operatorFormat: 0,
    ussdReports: 0,
    callerId: 0,
  };
}
