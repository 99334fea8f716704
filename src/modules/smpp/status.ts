import { toGatewayError } from '../../base/errors.ts';

/** command_status, SMPP 3.4 5.1.3. */
export const status = {
  ROK: 0x00,
  RINVMSGLEN: 0x01,
  RINVCMDLEN: 0x02,
  RINVCMDID: 0x03,
  RINVBNDSTS: 0x04,
  RALYBND: 0x05,
  RINVPRTFLG: 0x06,
  RINVREGDLVFLG: 0x07,
  RSYSERR: 0x08,
  RINVSRCADR: 0x0a,
  RINVDSTADR: 0x0b,
  RINVMSGID: 0x0c,
  RBINDFAIL: 0x0d,
  RINVPASWD: 0x0e,
  RINVSYSID: 0x0f,
  RCANCELFAIL: 0x11,
  RREPLACEFAIL: 0x13,
  RMSGQFUL: 0x14,
  RINVSERTYP: 0x15,
  RINVNUMDESTS: 0x33,
  RINVDLNAME: 0x34,
  RINVDESTFLAG: 0x40,
  RINVESMCLASS: 0x43,
  RCNTSUBDL: 0x44,
  RSUBMITFAIL: 0x45,
  RINVSRCTON: 0x48,
  RINVSRCNPI: 0x49,
  RINVDSTTON: 0x50,
  RINVDSTNPI: 0x51,
  RINVSYSTYP: 0x53,
  RINVREPFLAG: 0x54,
  RTHROTTLED: 0x58,
  RINVSCHED: 0x61,
  RINVEXPIRY: 0x62,
  RINVDFTMSGID: 0x63,
  RX_T_APPN: 0x64,
  RX_P_APPN: 0x65,
  RX_R_APPN: 0x66,
  RQUERYFAIL: 0x67,
  RINVTLVSTREAM: 0xc0,
  RTLVNOTALLWD: 0xc1,
  RINVTLVLEN: 0xc2,
  RMISSINGTLV: 0xc3,
  RINVTLVVAL: 0xc4,
  RDELIVERYFAILURE: 0xfe,
} as const;

/** `ESME_RTHROTTLED`; a number for a status outside the table. */
export function statusName(value: number): string {
  const name = Object.entries(status).find(([, each]) => each === value)?.[0];
  return name === undefined ? `status 0x${value.toString(16)}` : `ESME_${name}`;
}

/** A request is refused with this status. */
export class SmppError extends Error {
  readonly status: number;
  /** Parameters of the response in addition to those of every error. */
  readonly fields: { readonly unsuccess_sme?: readonly object[] };

  constructor(value: number, fields: SmppError['fields'] = {}) {
    super(statusName(value));
    this.name = 'SmppError';
    this.status = value;
    this.fields = fields;
  }
}

/** The status for anything thrown. */
export function statusOf(thrown: unknown): number {
  return thrown instanceof SmppError ? thrown.status : toGatewayError(thrown).mapping.smpp;
}
