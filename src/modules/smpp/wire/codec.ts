/**
 * PDUs and their octets. This is the only file that imports the package `smpp`, and of it only the tables and what writes
 * PDUs: what reads them, framing, sessions and time-outs of the package die of malformed input or grow without limit.
 */
import smpp from 'smpp';
import { SmppError, status } from '../status.ts';
import { HEADER } from './framer.ts';
import { type Fields, layouts, type RequestName, usedTlvs, withoutTlvs } from './layout.ts';
import { readBody, type TlvLengths } from './read-body.ts';

// The filters turn octets into text by a mistaken reading of data_coding, take relative times for local ones, and set a
// global variable, which throws where the package is bundled in strict mode. Without them octets stay octets.
for (const { params = {} } of Object.values(smpp.commands)) {
  for (const parameter of Object.values(params)) delete parameter.filter;
}
for (const tlv of Object.values(smpp.tlvs)) delete tlv.filter;

const RESPONSE = 0x8000_0000;

const { int8, int16, int32 } = smpp.types;
const intLengths = new Map([
  [int8, 1],
  [int16, 2],
  [int32, 4],
]);
const known: TlvLengths = new Map(Object.values(smpp.tlvs).map(({ id, type }) => [id, intLengths.get(type)]));

interface Header {
  readonly sequence: number;
}

interface PartlyRead {
  readonly fields: Readonly<Record<string, unknown>>;
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
  /** To be answered with the status. `fields` has what was read before the fault. */
  | (Header & { readonly type: 'malformed'; readonly command: RequestName; readonly status: number } & PartlyRead)
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
  const fields: Record<string, unknown> = {};
  try {
    const takesTlvs = !withoutTlvs.has(command);
    const rules = { layout: layouts[command], used: usedTlvs(command), known, takesTlvs };
    readBody(octets.subarray(HEADER), rules, fields);
    // Every field of the layout is there now, each of the kind that the layout gives it.
    return { type: 'request', command, sequence, fields } as Request;
  } catch (error) {
    const value = error instanceof SmppError ? error.status : status.RINVCMDLEN;
    return { type: 'malformed', command, sequence, status: value, fields };
  }
}

type OwnRequest = 'deliver_sm' | 'enquire_link' | 'unbind';
type FieldValue = number | string | Buffer | readonly object[];

export interface PduToSend {
  readonly command: OwnRequest | `${RequestName}_resp` | 'generic_nack';
  readonly sequence: number;
  /** Most PDUs with a status other than 0 are their header only. */
  readonly status?: number;
  readonly fields?: Readonly<Record<string, FieldValue>>;
}

/**
 * Responses that have their body with an error as well: SMPP 3.4 4.1.6, 4.5.2, 4.7.2 and 4.8.2 do not let it out, as
 * 4.1.2, 4.1.4 and 4.4.2 do. Clients close the session, or wait for ever, without it.
 */
const bodyOnError: ReadonlySet<PduToSend['command']> = new Set<PduToSend['command']>([
  'bind_transceiver_resp',
  'submit_multi_resp',
  'data_sm_resp',
  'query_sm_resp',
]);

export function encodePdu({ command, sequence, status: value = status.ROK, fields = {} }: PduToSend): Buffer {
  // The package writes no body beside a status.
  const written = bodyOnError.has(command) ? status.ROK : value;
  const octets = new smpp.PDU(command, { ...fields, sequence_number: sequence, command_status: written }).toBuffer();
  octets.writeUInt32BE(value, 8);
  return octets;
}

function isRequest(command: string): command is RequestName {
  return Object.hasOwn(layouts, command);
}
