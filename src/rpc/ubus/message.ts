import type { JsonObject } from '../../base/json.ts';
import { ATTRIBUTE_HEADER, type Attribute, attributesOf, BlobWriter, malformed, padded, splitHeader } from './blob.ts';
import { encodeTable } from './blobmsg.ts';
import { limits } from './limits.ts';

/** ubusmsg.h `enum ubus_msg_type`: those that this peer sends or takes. */
export const messageType = {
  hello: 0,
  status: 1,
  data: 2,
  invoke: 5,
  addObject: 6,
  removeObject: 7,
  notify: 10,
} as const;

/** ubusmsg.h `enum ubus_msg_attr`. */
export const attributeId = {
  status: 1,
  objectPath: 2,
  objectId: 3,
  method: 4,
  signature: 6,
  data: 7,
  active: 9,
  noReply: 10,
} as const;

/** ubusmsg.h UBUS_SYSTEM_OBJECT_EVENT: the object that takes and spreads events. */
export const EVENT_OBJECT = 1;

/** One message: 8 octets of header, then an attribute of id 0 that holds the others. */
export interface UbusMessage {
  readonly type: number;
  /** Of a request, repeated in what answers it. */
  readonly seq: number;
  /** The other end: a client, or the object that is called. 0 is ubusd. */
  readonly peer: number;
  readonly attributes: readonly Attribute[];
}

const HEADER = 8;
/** Octets until the length of a message is known. */
const MESSAGE_START = HEADER + ATTRIBUTE_HEADER;

/** The length of the message that begins with these octets. Throws GatewayError parse_error, too_large. */
export function messageLength(start: Buffer): number {
  if (start.readUInt8(0) !== 0) throw malformed(`version ${start.readUInt8(0)}, only 0 is known`);
  const { id, length } = splitHeader(start.readUInt32BE(HEADER));
  if (id !== 0 || length < ATTRIBUTE_HEADER) throw malformed('no container of attributes');
  if (length > limits.messageLength) throw malformed(`${length} octets, at most ${limits.messageLength} are taken`);
  return HEADER + padded(length);
}

/** Takes one whole message apart. Throws GatewayError parse_error. */
export function decodeMessage(octets: Buffer): UbusMessage {
  const { length } = splitHeader(octets.readUInt32BE(HEADER));
  return {
    type: octets.readUInt8(1),
    seq: octets.readUInt16BE(2),
    peer: octets.readUInt32BE(4),
    attributes: boundedAttributes(octets.subarray(MESSAGE_START, HEADER + length)),
  };
}

/** Empty attributes would fill the memory with a hundred times their size. */
function boundedAttributes(data: Buffer): readonly Attribute[] {
  const attributes: Attribute[] = [];
  for (const attribute of attributesOf(data)) {
    if (attributes.length === limits.attributes) throw malformed(`more than ${limits.attributes} attributes`);
    attributes.push(attribute);
  }
  return attributes;
}

/** Throws GatewayError too_large. */
export function encodeMessage({ type, seq, peer, attributes }: UbusMessage): Buffer {
  const writer = new BlobWriter();
  writer.uint(0, 1);
  writer.uint(type, 1);
  writer.uint(seq, 2);
  writer.uint(peer, 4);
  writer.attribute(0, false, () => {
    for (const { id, extended, data } of attributes) writer.attribute(id, extended, () => writer.bytes(data));
  });
  return writer.octets;
}

export function numberAttribute(id: number, value: number): Attribute {
  const data = Buffer.alloc(4);
  data.writeUInt32BE(value);
  return { id, extended: false, data };
}

export const textAttribute = (id: number, text: string): Attribute => ({
  id,
  extended: false,
  data: Buffer.from(`${text}\0`),
});

export const flagAttribute = (id: number): Attribute => ({ id, extended: false, data: Buffer.of(1) });

/** Throws GatewayError too_large. */
export const tableAttribute = (id: number, table: JsonObject): Attribute => ({
  id,
  extended: false,
  data: encodeTable(table),
});

/** The data of an attribute, the last one of that id. */
export function attributeData({ attributes }: UbusMessage, id: number): Buffer | undefined {
  return attributes.findLast((attribute) => attribute.id === id)?.data;
}

export function numberOf(message: UbusMessage, id: number): number | undefined {
  const data = attributeData(message, id);
  return data?.length === 4 ? data.readUInt32BE() : undefined;
}

export function textOf(message: UbusMessage, id: number): string | undefined {
  const data = attributeData(message, id);
  return data?.at(-1) === 0 ? data.toString('utf8', 0, data.length - 1) : undefined;
}

export const isSet = (message: UbusMessage, id: number): boolean => (attributeData(message, id)?.at(0) ?? 0) !== 0;

/** Cuts a byte stream into messages, however it comes in chunks. */
export class MessageReader {
  readonly #start = Buffer.alloc(MESSAGE_START);
  /** What is being filled: the start of a message, then the whole of it. */
  #target = this.#start;
  #filled = 0;

  /** The messages that this chunk ends. Throws GatewayError parse_error, after which the stream cannot be followed. */
  *read(chunk: Buffer): Generator<UbusMessage> {
    for (let at = 0; at < chunk.length; ) {
      const copied = chunk.copy(this.#target, this.#filled, at);
      at += copied;
      this.#filled += copied;
      if (this.#filled < this.#target.length) return;
      if (this.#target === this.#start) this.#grow();
      if (this.#filled < this.#target.length) continue;
      const message = decodeMessage(this.#target);
      this.#target = this.#start;
      this.#filled = 0;
      yield message;
    }
  }

  /** Decoded messages keep pointing into their octets: each gets its own. */
  #grow(): void {
    this.#target = Buffer.alloc(messageLength(this.#start));
    this.#start.copy(this.#target);
  }
}
