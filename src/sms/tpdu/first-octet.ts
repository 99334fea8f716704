// Bits of the first octet, TS 23.040 9.2.3. Bits 2, 3 and 5 mean different things in the two directions.

/** TP-MMS, to the mobile: set when no more messages wait. */
export const NO_MORE_MESSAGES = 0x04;
/** TP-RD, to the network. */
export const REJECT_DUPLICATES = 0x04;
/** TP-LP, to the mobile. */
export const LOOP_PREVENTION = 0x08;
/** Where TP-VPF lies in a SUBMIT: two bits. */
export const VALIDITY_SHIFT = 3;
/** TP-SRI of a DELIVER, TP-SRQ of a STATUS-REPORT, TP-SRR of a SUBMIT or COMMAND. */
export const STATUS_REPORT = 0x20;
/** TP-UDHI. */
export const HEADER = 0x40;
/** TP-RP. */
export const REPLY_PATH = 0x80;

/** TP-MTI by direction, TS 23.040 9.2.3.1. */
export const MTI = {
  deliver: 0,
  deliverReport: 0,
  submit: 1,
  submitReport: 1,
  statusReport: 2,
  command: 2,
} as const;
