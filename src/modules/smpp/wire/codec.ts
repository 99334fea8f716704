/**
 * PDUs and their octets. This is the only file that imports the package `smpp`, and of it only the codec is used:
 * framing, sessions and time-outs of the package die of malformed input or grow without limit, so those are ours.
 */
import smpp from 'smpp';
import { SmppError, status } from '../status.ts';
import { checkBody, type TlvLengths } from './check-body.ts';
import { HEADER, MAX_PDU } from './framer.ts';
import { type Fields, layouts, type RequestName, withoutTlvs } from './layout.ts';

// The filters turn octets into text by a mistaken reading of data_coding, take relative times for local ones, and set a
// global variable, which throws where the package is bundled in strict mode. Without them octets stay octets.
for (const { params = {} } of Object.values(smpp.commands)) {
  for (const parameter of Object.values(params)) delete parameter.filter;
}
for (const tlv of Object.values(smpp.tlvs)) delete tlv.filter;
smpp.PDU.maxLength = MAX_PDU;

const RESPONSE = 0x8000_0000;

const { int8, int16, int32 } = smpp.types;
const intLengths = new Map([
  [int8, 1],
  [int16, 2],
  [int32, 4],
]);
const tlvs: TlvLengths = new Map(Object.values(smpp.tlvs).map(({ id, type }) => [id, intLengths.get(type)]));

interface Header {
  readonly sequence: number;
}

export type Request = {
  readonly [C in RequestName]: Header & {
    readonly type: 'request';
    readonly command: C;
    readonly fields: Fields<C>;
  };
}[RequestName];

export type Pdu =
  | Request
  | (Header & { readonly type: 'response'; readonly status: number })
  /** To be answered with the status. */
  | (Header & { readonly type: 'malformed'; readonly command: RequestName; readonly status: number })
  /** No command, or none for a client to send. */
  | (Header & { readonly type: 'unknown' });

/** What a whole PDU says. Never throws. */
export function decodePdu(octets: Buffer): Pdu {
  const id = octets.readUInt32BE(4);
  const sequence = octets.readUInt32BE(12);
  // Of responses only the status counts here.
  if (id >= RESPONSE) return { type: 'response', sequence, status: octets.readUInt32BE(8) };
  const command = smpp.commandsById[id]?.command;
  if (command === undefined || !isRequest(command)) return { type: 'unknown', sequence };
  try {
    const takesTlvs = !withoutTlvs.has(command);
    checkBody(octets.subarray(HEADER), { layout: layouts[command], tlvs, takesTlvs });
    // The check has shown that every field of the layout is there; the TLVs have the types of the package's table.
    const fields: unknown = new smpp.PDU(octets);
    return { type: 'request', command, sequence, fields } as Request;
  } catch (error) {
    const value = error instanceof SmppError ? error.status : status.RINVCMDLEN;
    return { type: 'malformed', command, sequence, status: value };
  }
}

type OwnRequest = 'deliver_sm' | 'enquire_link' | 'unbind';
type FieldValue = number | string | Buffer | readonly object[];

export interface PduToSend {
  readonly command: OwnRequest | `${RequestName}_resp` | 'generic_nack';
  readonly sequence: number;
  /** A PDU with a status other than 0 is its header only. */
  readonly status?: number;
  readonly fields?: Readonly<Record<string, FieldValue>>;
}

export function encodePdu({ command, sequence, status: value = status.ROK, fields = {} }: PduToSend): Buffer {
  return new smpp.PDU(command, { ...fields, sequence_number: sequence, command_status: value }).toBuffer();
}

function isRequest(command: string): command is RequestName {
  return Object.hasOwn(layouts, command);
}
