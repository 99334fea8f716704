import { GatewayError } from '../base/errors.ts';
import { isJsonObject, type Json, type JsonObject } from '../base/json.ts';
import type { AnswerRoom } from '../base/memory-pool.ts';
import { counted } from '../base/printable.ts';

/** Argument types of the namespace: what ubus signatures can say. */
export type ArgumentType = 'string' | 'integer' | 'boolean' | 'array' | 'table';

export interface Argument {
  readonly type: ArgumentType;
  readonly required?: true;
  /** Bounds of an integer, or of the length of a string or an array. */
  readonly range?: readonly [min: number, max: number];
  /** The words that a string may be. */
  readonly words?: readonly string[];
  readonly help: string;
}

/** Who calls, for access rules and for giving up when the caller is gone. */
export interface Caller {
  readonly transport: 'unix' | 'ubus' | 'websocket' | 'http';
  /** Account and address, where somebody has logged in. */
  readonly who?: string;
  /** What its messages are filed under, and whose references it uses; `rpc` when absent. */
  readonly source?: string;
  /** Who of the source calls, where each is to have a share of the queue. */
  readonly share?: string;
  /** Aborts when the caller has gone or the gateway stops. */
  readonly signal: AbortSignal;
  /** Where large answers are made; absent when nobody knows how long they are kept. */
  readonly room?: AnswerRoom;
}

/** What a method is, without the code behind it: enough for a listing and for the reference. */
export interface Signature {
  readonly help: string;
  readonly args: Readonly<Record<string, Argument>>;
  /** The fields of the result, with what they mean. */
  readonly result: Readonly<Record<string, string>>;
}

export interface Method extends Signature {
  /** `args` holds known names with the right types only; required ones are there. Throws GatewayError. */
  call(args: JsonObject, caller: Caller): Promise<JsonObject>;
}

/** An object of the namespace: `sms_gateway.message`. */
export interface RpcObject {
  readonly name: string;
  readonly methods: Readonly<Record<string, Method>>;
}

export type Signatures = Readonly<Record<string, Signature>>;

interface Values {
  readonly string: string;
  readonly integer: number;
  readonly boolean: boolean;
  readonly array: readonly Json[];
  readonly table: JsonObject;
}

type ValueOf<A extends Argument> = A['words'] extends readonly (infer W)[] ? W : Values[A['type']];

/** What a method with this signature is called with. */
export type ArgumentsOf<S extends Signature> = {
  readonly [K in keyof S['args'] as S['args'][K]['required'] extends true ? K : never]: ValueOf<S['args'][K]>;
} & {
  readonly [K in keyof S['args'] as S['args'][K]['required'] extends true ? never : K]?: ValueOf<S['args'][K]>;
};

export type Handlers<T extends Signatures> = {
  readonly [K in keyof T]: (args: ArgumentsOf<T[K]>, caller: Caller) => Promise<JsonObject>;
};

/** Puts code behind signatures. The handlers' argument types follow from the table. */
export function implement<T extends Signatures>(name: string, signatures: T, handlers: Handlers<T>): RpcObject {
  const methods = Object.entries(signatures).map(([method, signature]) => {
    // The namespace has checked the arguments against this very signature.
    const call = handlers[method] as (args: JsonObject, caller: Caller) => Promise<JsonObject>;
    return [method, { ...signature, call }];
  });
  return { name, methods: Object.fromEntries(methods) };
}

/** Refuses arguments that do not fit the signature. `where` names the method in the error. No free text is repeated. */
export function checkArguments(where: string, signature: Signature, args: JsonObject): void {
  const refuse = (what: string) => new GatewayError('invalid_argument', `${where}: ${what}`);
  for (const [name, value] of Object.entries(args)) {
    if (!Object.hasOwn(signature.args, name)) {
      const known = Object.keys(signature.args).join(', ') || 'none';
      throw refuse(`unknown argument ${clip(name)}; known are: ${known}`);
    }
    const argument = signature.args[name];
    const fault = argument && faultOf(argument, value);
    if (fault !== undefined) throw refuse(`argument ${name}: ${fault}`);
  }
  for (const [name, argument] of Object.entries(signature.args)) {
    if (argument.required && !Object.hasOwn(args, name)) throw refuse(`argument ${name} (${argument.type}) is missing`);
  }
}

/** A name from outside, quoted and short enough for an error message. */
export function clip(name: string): string {
  return JSON.stringify(name.length > 40 ? `${name.slice(0, 40)}…` : name);
}

function faultOf(argument: Argument, value: Json | undefined): string | undefined {
  if (!hasType(argument, value)) return `got ${kindOf(value)}, wanted ${article(argument.type)}`;
  const { range: [min, max] = [Number.NEGATIVE_INFINITY, Number.POSITIVE_INFINITY], words } = argument;
  if (typeof value === 'number' && (value < min || value > max)) return `got ${value}, wanted ${min} to ${max}`;
  if (Array.isArray(value) && (value.length < min || value.length > max)) {
    return `got ${counted(value.length, 'element')}, wanted ${min} to ${max}`;
  }
  if (typeof value !== 'string') return undefined;
  if (value.length < min || value.length > max)
    return `got ${counted(value.length, 'character')}, wanted ${min} to ${max}`;
  if (words?.includes(value) === false) return `got ${clip(value)}, wanted one of ${words.join(', ')}`;
  return undefined;
}

function hasType(argument: Argument, value: Json | undefined): boolean {
  switch (argument.type) {
    case 'string':
      return typeof value === 'string';
    case 'integer':
      return Number.isSafeInteger(value);
    case 'boolean':
      return typeof value === 'boolean';
    case 'array':
      return Array.isArray(value);
    case 'table':
      return isJsonObject(value);
  }
}

function kindOf(value: Json | undefined): string {
  if (value === null || value === undefined) return 'null';
  if (Array.isArray(value)) return 'an array';
  if (typeof value === 'object') return 'a table';
  return typeof value === 'number' && !Number.isSafeInteger(value) ? 'a fraction' : `a ${typeof value}`;
}

const article = (type: string): string => (/^[aei]/.test(type) ? `an ${type}` : `a ${type}`);
