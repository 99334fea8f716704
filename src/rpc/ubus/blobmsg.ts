import { isUtf8 } from 'node:buffer';
import { GatewayError } from '../../base/errors.ts';
import type { Json, JsonObject } from '../../base/json.ts';
import { type Attribute, attributesOf, BlobWriter, malformed, padded } from './blob.ts';
import { limits } from './limits.ts';

/** libubox blobmsg.h: types of a field, and what a signature names them by. */
export const blobmsgType = {
  null: 0,
  array: 1,
  table: 2,
  string: 3,
  int64: 4,
  int32: 5,
  int16: 6,
  /** Also the boolean: there is no other. */
  int8: 7,
  double: 8,
} as const;

/**
 * A table as blobmsg fields, with the types that libubox's blobmsg_json gives. Throws GatewayError too_large.
 * Strings end at a NUL here: one inside a text becomes U+FFFD, or readers would take it for the end.
 */
export function encodeTable(table: JsonObject): Buffer {
  const writer = new BlobWriter();
  writeTable(writer, table, 0);
  return writer.octets;
}

/**
 * Fields as a table: int8 is a boolean, other integers and doubles are numbers. Throws GatewayError parse_error for
 * what is no blobmsg, is no UTF-8 or does not fit a number, too_large for what is too deep or has too many fields.
 */
export function decodeTable(data: Buffer): JsonObject {
  return readTable(data, 0, { left: limits.fields });
}

function writeTable(writer: BlobWriter, table: JsonObject, depth: number): void {
  for (const [name, value] of Object.entries(table)) {
    if (value !== undefined) writeField(writer, name, value, depth);
  }
}

function writeField(writer: BlobWriter, name: string, value: Json, depth: number): void {
  const octets = textOctets(name);
  if (octets.length > 0xffff) throw new GatewayError('too_large', 'the name of a ubus field has at most 65535 octets');
  writer.attribute(typeOf(value), true, () => {
    writer.uint(octets.length, 2);
    writer.bytes(octets);
    writer.uint(0, 1);
    writer.align();
    writeValue(writer, value, checkDepth(depth + 1));
  });
}

function typeOf(value: Json): number {
  if (value === null) return blobmsgType.null;
  if (typeof value === 'string') return blobmsgType.string;
  if (typeof value === 'boolean') return blobmsgType.int8;
  if (typeof value === 'object') return Array.isArray(value) ? blobmsgType.array : blobmsgType.table;
  if (!Number.isSafeInteger(value)) return blobmsgType.double;
  return (value | 0) === value ? blobmsgType.int32 : blobmsgType.int64;
}

function writeValue(writer: BlobWriter, value: Json, depth: number): void {
  if (value === null) return;
  if (typeof value === 'string') {
    writer.bytes(textOctets(value));
    writer.uint(0, 1);
  } else if (typeof value === 'boolean') {
    writer.uint(value ? 1 : 0, 1);
  } else if (typeof value === 'number') {
    writeNumber(writer, value);
  } else if (isArray(value)) {
    for (const element of value) writeField(writer, '', element, depth);
  } else {
    writeTable(writer, value, depth);
  }
}

function writeNumber(writer: BlobWriter, value: number): void {
  const type = typeOf(value);
  if (type === blobmsgType.int32) writer.uint(value >>> 0, 4);
  else if (type === blobmsgType.int64) writer.int64(value);
  else writer.double(value);
}

const isArray = (value: Json): value is readonly Json[] => Array.isArray(value);

const textOctets = (text: string): Buffer => Buffer.from(text.replaceAll('\0', '\ufffd'));

interface Room {
  left: number;
}

interface Field {
  readonly type: number;
  readonly name: string;
  readonly value: Buffer;
}

function readTable(data: Buffer, depth: number, room: Room): JsonObject {
  const fields = fieldsOf(data, room).map((field) => [field.name, readValue(field, depth, room)] as const);
  // Makes an own property even of `__proto__`.
  return Object.fromEntries(fields);
}

function fieldsOf(data: Buffer, room: Room): readonly Field[] {
  const fields: Field[] = [];
  for (const attribute of attributesOf(data)) {
    if (--room.left < 0) throw new GatewayError('too_large', `a ubus table has at most ${limits.fields} fields`);
    fields.push(fieldOf(attribute));
  }
  return fields;
}

/** The data of a field: u16 length of the name, the name, NUL, padding, the value. */
function fieldOf({ id, extended, data }: Attribute): Field {
  if (!extended || data.length < 4) throw malformed('a field without a name');
  const nameLength = data.readUInt16BE(0);
  const start = padded(2 + nameLength + 1);
  if (start > data.length) throw malformed('the name of a field is cut off');
  return { type: id, name: readText(data.subarray(2, 2 + nameLength + 1)), value: data.subarray(start) };
}

function readValue({ type, value }: Field, depth: number, room: Room): Json {
  switch (type) {
    case blobmsgType.null:
      return null;
    case blobmsgType.array:
      return fieldsOf(value, room).map((field) => readValue(field, checkDepth(depth + 1), room));
    case blobmsgType.table:
      return readTable(value, checkDepth(depth + 1), room);
    case blobmsgType.string:
      return readText(value);
    case blobmsgType.int64:
      return safeNumber(sized(value, 8).readBigInt64BE());
    case blobmsgType.int32:
      return sized(value, 4).readInt32BE();
    case blobmsgType.int16:
      return sized(value, 2).readInt16BE();
    case blobmsgType.int8:
      return sized(value, 1).readUInt8() !== 0;
    case blobmsgType.double:
      return sized(value, 8).readDoubleBE();
    default:
      throw malformed(`a field of type ${type}`);
  }
}

function readText(data: Buffer): string {
  const text = data.subarray(0, -1);
  if (data.at(-1) !== 0 || text.includes(0)) throw malformed('a string that does not end at its NUL');
  if (!isUtf8(text)) throw malformed('a string that is not UTF-8');
  return text.toString();
}

function sized(value: Buffer, size: number): Buffer {
  if (value.length !== size) throw malformed(`a number of ${value.length} octets, ${size} were announced`);
  return value;
}

function safeNumber(value: bigint): number {
  const number = Number(value);
  if (!Number.isSafeInteger(number)) throw malformed('an integer of more than 53 bits');
  return number;
}

function checkDepth(depth: number): number {
  if (depth > limits.depth) throw new GatewayError('too_large', `a ubus table is at most ${limits.depth} levels deep`);
  return depth;
}
