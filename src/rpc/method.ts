import type { Json, JsonObject } from '../base/json.ts';

/** Argument types of the namespace: what ubus signatures can say. */
export type ArgumentType = 'string' | 'integer' | 'boolean' | 'array' | 'table';

export interface Argument {
  readonly type: ArgumentType;
  readonly required?: true;
  /** Bounds of an integer, or of the length of a string. */
  readonly range?: readonly [min: number, max: number];
  /** The words that a string may be. */
  readonly words?: readonly string[];
  readonly help: string;
}

/** Who calls, for access rules and for giving up when the caller is gone. */
export interface Caller {
  readonly transport: 'unix' | 'ubus' | 'websocket' | 'http';
  /** Aborts when the caller has gone or the gateway stops. */
  readonly signal: AbortSignal;
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
