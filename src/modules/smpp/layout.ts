import { status } from './status.ts';

/** Octets of a PDU's header, SMPP 3.4 3.2. */
export const HEADER = 16;

/** A mandatory parameter of a PDU, SMPP 3.4 3.1. */
export type Field =
  /** One octet. */
  | { readonly kind: 'int' }
  /**
   * C-octet string of at most `max` octets with its NUL. A longer one, or one that is not ASCII, is answered with `status`.
   * With `anyOctets` every octet is a character.
   */
  | { readonly kind: 'text'; readonly max: number; readonly status: number; readonly anyOctets?: boolean }
  /** sm_length and short_message. */
  | { readonly kind: 'octets' }
  /** number_of_dests and dest_address of submit_multi. */
  | { readonly kind: 'destinations' };

const int = { kind: 'int' } as const;
const octets = { kind: 'octets' } as const;
const text = (max: number, status: number) => ({ kind: 'text', max, status }) as const;

export const serviceType = text(6, status.RINVSERTYP);
const messageId = text(65, status.RINVMSGID);
/** SMPP 3.4 5.2.8. */
export const destinationAddress = text(21, status.RINVDSTADR);
export const listName = text(21, status.RINVDLNAME);

const source = {
  source_addr_ton: int,
  source_addr_npi: int,
  // A SIM sends with its own number, so any octets are accepted here.
  source_addr: { ...text(21, status.RINVSRCADR), anyOctets: true },
} as const;
const destination = { dest_addr_ton: int, dest_addr_npi: int, destination_addr: destinationAddress };
const times = { schedule_delivery_time: text(17, status.RINVSCHED), validity_period: text(17, status.RINVEXPIRY) };

const bind = {
  system_id: text(16, status.RINVSYSID),
  password: text(9, status.RINVPASWD),
  system_type: text(13, status.RINVSYSTYP),
  interface_version: int,
  addr_ton: int,
  addr_npi: int,
  address_range: text(41, status.RBINDFAIL),
} as const;

const message = {
  esm_class: int,
  protocol_id: int,
  priority_flag: int,
  ...times,
  registered_delivery: int,
  replace_if_present_flag: int,
  data_coding: int,
  sm_default_msg_id: int,
  short_message: octets,
} as const;

/** The requests that a client may send, SMPP 3.4 4, with their parameters in order. */
export const layouts = {
  bind_receiver: bind,
  bind_transmitter: bind,
  bind_transceiver: bind,
  unbind: {},
  enquire_link: {},
  submit_sm: { service_type: serviceType, ...source, ...destination, ...message },
  submit_multi: { service_type: serviceType, ...source, dest_address: { kind: 'destinations' }, ...message },
  data_sm: {
    service_type: serviceType,
    ...source,
    ...destination,
    esm_class: int,
    registered_delivery: int,
    data_coding: int,
  },
  query_sm: { message_id: messageId, ...source },
  cancel_sm: { service_type: serviceType, message_id: messageId, ...source, ...destination },
  replace_sm: {
    message_id: messageId,
    ...source,
    ...times,
    registered_delivery: int,
    sm_default_msg_id: int,
    short_message: octets,
  },
} as const satisfies Record<string, Readonly<Record<string, Field>>>;

export type RequestName = keyof typeof layouts;

/** Requests that take no optional parameters. */
export const withoutTlvs: ReadonlySet<RequestName> = new Set<RequestName>(['query_sm', 'cancel_sm', 'replace_sm']);

export type Destination =
  | { readonly dest_addr_ton: number; readonly dest_addr_npi: number; readonly destination_addr: string }
  | { readonly dl_name: string };

type Value<F> = F extends { kind: 'int' }
  ? number
  : F extends { kind: 'text' }
    ? string
    : F extends { kind: 'octets' }
      ? Buffer
      : readonly Destination[];

/** Optional parameters: their tags, and the length of numbers in octets. */
export type TlvTable = { readonly [N in keyof Tlvs]?: { readonly tag: number; readonly length?: 1 | 2 } };

const ofMessage = {
  user_message_reference: { tag: 0x0204, length: 2 },
  source_port: { tag: 0x020a, length: 2 },
  destination_port: { tag: 0x020b, length: 2 },
  sar_msg_ref_num: { tag: 0x020c, length: 2 },
  sar_total_segments: { tag: 0x020e, length: 1 },
  sar_segment_seqnum: { tag: 0x020f, length: 1 },
  message_payload: { tag: 0x0424 },
} as const satisfies TlvTable;

const noTlvs: TlvTable = {};
const used: { readonly [C in RequestName]?: TlvTable } = {
  submit_sm: ofMessage,
  submit_multi: ofMessage,
  data_sm: { ...ofMessage, set_dpf: { tag: 0x0421, length: 1 } },
};

/** The optional parameters of a request that are read. */
export const usedTlvs = (command: RequestName): TlvTable => used[command] ?? noTlvs;

/** The optional parameters that are used, SMPP 3.4 5.3.2. */
export interface Tlvs {
  readonly user_message_reference?: number;
  readonly sar_msg_ref_num?: number;
  readonly sar_total_segments?: number;
  readonly sar_segment_seqnum?: number;
  readonly message_payload?: Buffer;
  readonly source_port?: number;
  readonly destination_port?: number;
  readonly set_dpf?: number;
}

/** The parameters of a request. */
export type Fields<C extends RequestName> = {
  readonly [K in keyof (typeof layouts)[C]]: Value<(typeof layouts)[C][K]>;
} & Tlvs;
