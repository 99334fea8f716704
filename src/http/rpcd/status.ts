import type { Json, JsonObject } from '../../base/json.ts';
import type { ArgumentType } from '../../rpc/method.ts';
import type { Session } from './sessions.ts';

/** libubus `enum ubus_msg_status`. */
export const ubusStatus = {
  ok: 0,
  invalidCommand: 1,
  invalidArgument: 2,
  methodNotFound: 3,
  notFound: 4,
  noData: 5,
  permissionDenied: 6,
  unknownError: 9,
} as const;

/** What a call over ubus comes back with. */
export type UbusAnswer = readonly [status: number] | readonly [status: number, data: JsonObject];

export const done: UbusAnswer = [ubusStatus.ok];

export interface Call {
  readonly args: JsonObject;
  /** Undefined before the login. */
  readonly session: Session | undefined;
  /** Of the client. */
  readonly address: string;
  readonly signal: AbortSignal;
}

/** An object that rpcd has and the gateway's namespace has not. Never throws for what the caller did. */
export interface HostObject {
  readonly methods: Readonly<Record<string, HostMethod>>;
}

export interface HostMethod {
  readonly args: Readonly<Record<string, ArgumentType>>;
  call(call: Call): Promise<UbusAnswer>;
}

export const text = (value: Json | undefined): string | undefined => (typeof value === 'string' ? value : undefined);
