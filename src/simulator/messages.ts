/** A SMS on its way to the modem, as a person at the other end writes it. */
export interface IncomingMessage {
  /** A number (`+` and digits, or digits), or up to 11 characters of the GSM alphabet for an alphanumeric sender. */
  readonly from: string;
  readonly text: string;
  /** Time stamp of the service centre, ms since the epoch; now when absent. */
  readonly time?: number;
  readonly encoding?: 'auto' | 'gsm7' | 'ucs2';
  /** TS 23.038 message class; 0 is a flash message. */
  readonly messageClass?: 0 | 1 | 2 | 3;
  /** TP-PID octet. */
  readonly pid?: number;
}

/** One SMS-SUBMIT that the network took. */
export interface SentPart {
  readonly to: string;
  /** TP-MR that the modem gave it. */
  readonly mr: number;
  /** When the network took it, ms since the epoch. */
  readonly time: number;
  /** The TPDU, hexadecimal. */
  readonly tpdu: string;
  /** Position in a long message, from 1. */
  readonly sequence: number;
  readonly total: number;
}

/** A whole message that the network took, long ones joined. */
export interface SentMessage {
  readonly to: string;
  /** Empty for 8-bit data. */
  readonly text: string;
  /** User data of 8-bit messages, hexadecimal, headers left out. */
  readonly data?: string;
  readonly dcs: number;
  readonly parts: number;
  /** TP-MR of each part, in the order of the parts. */
  readonly mr: readonly number[];
  /** When the network took the last part, ms since the epoch. */
  readonly time: number;
  /** Whether a status report was asked for. */
  readonly report: boolean;
  /** The TPDUs, hexadecimal, in the order of the parts. */
  readonly tpdus: readonly string[];
}

/** What happened in the network since it began. */
export interface NetworkCounters {
  /** SMS-SUBMITs taken. */
  readonly parts: number;
  /** Whole messages taken. */
  readonly messages: number;
  /** Parts that repeat one of a message still incomplete. */
  readonly duplicates: number;
  /** SMS-DELIVERs that the modem acknowledged. */
  readonly delivered: number;
  /** SMS-STATUS-REPORTs that the modem acknowledged. */
  readonly reports: number;
  /** TPDUs that wait for the modem. */
  readonly waiting: number;
}
