import type { JsonObject } from '../json.ts';

/** Argument types of the namespace: what ubus signatures can say. */
export type ArgumentType = 'string' | 'integer' | 'boolean' | 'array' | 'table';

export interface Argument {
  readonly type: ArgumentType;
  readonly required?: boolean;
  readonly help: string;
}

/** Who calls, for access rules and for giving up when the caller is gone. */
export interface Caller {
  readonly transport: 'unix' | 'ubus' | 'websocket' | 'http';
  /** Aborts when the caller has gone or the gateway stops. */
  readonly signal: AbortSignal;
}

export interface Method {
  readonly help: string;
  readonly args: Readonly<Record<string, Argument>>;
  /** `args` holds known names with the right types only; required ones are there. Throws GatewayError. */
  call(args: JsonObject, caller: Caller): Promise<JsonObject>;
}

/** An object of the namespace: `sms_gateway.message`. */
export interface RpcObject {
  readonly name: string;
  readonly methods: Readonly<Record<string, Method>>;
}
