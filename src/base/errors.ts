import { plainOpenSsl } from './openssl.ts';

/**
 * The one catalogue of errors. A code is stable: scripts compare it. The table maps each code to the status words of
 * every door it can leave by.
 */
interface ErrorColumns {
  readonly http: number;
  /** JSON-RPC 2.0. */
  readonly rpc: number;
  /** libubus `enum ubus_msg_status`. */
  readonly ubus: number;
  /** SMPP 3.4 command_status. */
  readonly smpp: number;
  /** Exit code of the command line, of sysexits.h where one fits. */
  readonly exit: number;
  /** The same request may succeed later: something stands in its way, and the request itself is not at fault. */
  readonly retry: boolean;
}

export const errorTable = {
  // The request itself.
  parse_error: { http: 400, rpc: -32700, ubus: 12, smpp: 0x02, exit: 65, retry: false },
  invalid_request: { http: 400, rpc: -32600, ubus: 1, smpp: 0x03, exit: 64, retry: false },
  method_not_found: { http: 404, rpc: -32601, ubus: 3, smpp: 0x03, exit: 64, retry: false },
  invalid_argument: { http: 400, rpc: -32602, ubus: 2, smpp: 0x08, exit: 64, retry: false },
  object_not_found: { http: 404, rpc: -32000, ubus: 4, smpp: 0x03, exit: 64, retry: false },
  login_required: { http: 401, rpc: -32013, ubus: 6, smpp: 0x0e, exit: 77, retry: false },
  access_denied: { http: 403, rpc: -32002, ubus: 6, smpp: 0x0e, exit: 77, retry: false },
  timeout: { http: 504, rpc: -32003, ubus: 7, smpp: 0x08, exit: 75, retry: true },
  too_large: { http: 413, rpc: -32010, ubus: 2, smpp: 0x01, exit: 65, retry: false },
  too_many: { http: 429, rpc: -32011, ubus: 6, smpp: 0x58, exit: 75, retry: true },
  not_supported: { http: 501, rpc: -32012, ubus: 8, smpp: 0x03, exit: 69, retry: false },

  // What was asked for.
  message_not_found: { http: 404, rpc: -32020, ubus: 4, smpp: 0x0c, exit: 66, retry: false },
  group_not_found: { http: 404, rpc: -32021, ubus: 4, smpp: 0x34, exit: 66, retry: true },
  group_empty: { http: 409, rpc: -32022, ubus: 5, smpp: 0x34, exit: 66, retry: true },
  modem_not_found: { http: 404, rpc: -32023, ubus: 4, smpp: 0x08, exit: 66, retry: true },
  file_not_found: { http: 404, rpc: -32030, ubus: 4, smpp: 0x08, exit: 66, retry: false },
  module_not_found: { http: 404, rpc: -32024, ubus: 4, smpp: 0x08, exit: 66, retry: true },
  invalid_number: { http: 400, rpc: -32025, ubus: 2, smpp: 0x0b, exit: 65, retry: false },
  invalid_text: { http: 400, rpc: -32026, ubus: 2, smpp: 0x01, exit: 65, retry: false },
  text_too_long: { http: 400, rpc: -32027, ubus: 2, smpp: 0x01, exit: 65, retry: false },
  number_denied: { http: 403, rpc: -32029, ubus: 6, smpp: 0x0b, exit: 77, retry: false },
  wrong_state: { http: 409, rpc: -32028, ubus: 8, smpp: 0x11, exit: 65, retry: false },

  // What stands in the way.
  queue_full: { http: 503, rpc: -32040, ubus: 11, smpp: 0x14, exit: 75, retry: true },
  limit_reached: { http: 429, rpc: -32051, ubus: 6, smpp: 0x58, exit: 75, retry: true },
  store_full: { http: 507, rpc: -32041, ubus: 11, smpp: 0x14, exit: 75, retry: true },
  store_unavailable: { http: 503, rpc: -32042, ubus: 13, smpp: 0x08, exit: 74, retry: true },
  store_locked: { http: 503, rpc: -32043, ubus: 13, smpp: 0x08, exit: 75, retry: true },
  modem_unavailable: { http: 503, rpc: -32044, ubus: 5, smpp: 0x08, exit: 69, retry: true },
  modem_rejected: { http: 502, rpc: -32045, ubus: 9, smpp: 0x45, exit: 70, retry: true },
  module_unavailable: { http: 503, rpc: -32046, ubus: 5, smpp: 0x08, exit: 69, retry: true },
  connection_failed: { http: 502, rpc: -32047, ubus: 10, smpp: 0x08, exit: 69, retry: true },
  peer_rejected: { http: 502, rpc: -32048, ubus: 9, smpp: 0x45, exit: 70, retry: false },
  config_invalid: { http: 500, rpc: -32049, ubus: 12, smpp: 0x08, exit: 78, retry: false },
  stopping: { http: 503, rpc: -32050, ubus: 10, smpp: 0x08, exit: 75, retry: true },
  internal: { http: 500, rpc: -32603, ubus: 9, smpp: 0x08, exit: 70, retry: true },
} as const satisfies Record<string, ErrorColumns>;

export type ErrorCode = keyof typeof errorTable;

/** An error that a caller may see. `message` gives the value got and the form wanted, and never holds a secret. */
export class GatewayError extends Error {
  readonly code: ErrorCode;
  /** After how many ms the same request may succeed, where that is known; 0: never. */
  readonly retryAfter: number | undefined;

  constructor(code: ErrorCode, message: string, options?: ErrorOptions & { readonly retryAfter?: number | undefined }) {
    super(message, options);
    this.name = 'GatewayError';
    this.code = code;
    this.retryAfter = options?.retryAfter;
  }

  get mapping(): ErrorColumns {
    return errorTable[this.code];
  }
}

/** Whether the same request fails every time. Of an unforeseen error nobody knows, so it counts as passing. */
export function isPermanent(thrown: unknown): thrown is GatewayError {
  return thrown instanceof GatewayError && !thrown.mapping.retry;
}

/** Anything thrown, as a GatewayError. The text of an unforeseen error stays inside: it may hold what strangers sent. */
export function toGatewayError(thrown: unknown): GatewayError {
  if (thrown instanceof GatewayError) return thrown;
  return new GatewayError('internal', 'internal error, see the log', { cause: thrown });
}

/** For a fault of the program where it must not get in the way of others: it counts as one that nobody caught. */
export function throwUncaught(fault: unknown): void {
  process.nextTick(() => {
    throw fault;
  });
}

/** One line about anything thrown, for the log. */
export function describeError(thrown: unknown): string {
  if (!(thrown instanceof Error)) return String(thrown);
  if (!(thrown instanceof GatewayError)) return plainOpenSsl(thrown.message);
  if (thrown.cause === undefined) return thrown.message;
  const cause = withoutPath(describeError(thrown.cause), thrown.message);
  return thrown.message.includes(cause) ? thrown.message : `${thrown.message} (${cause})`;
}

/** Node ends errors of files with the call and the path, `EACCES: permission denied, mkdir '/x'`: once is enough. */
function withoutPath(cause: string, message: string): string {
  const [end, path] = /, \w+ '([^']*)'$/.exec(cause) ?? [];
  return end !== undefined && path !== undefined && message.includes(path) ? cause.slice(0, -end.length) : cause;
}
