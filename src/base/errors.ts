/**
 * The one catalogue of errors. A code is stable: scripts compare it. The table maps each code to the status words of
 * every door it can leave by: HTTP, JSON-RPC 2.0, ubus (libubus `enum ubus_msg_status`), SMPP 3.4 command_status and
 * the exit code of the command line (sysexits.h where one fits).
 */
interface Mapping {
  readonly http: number;
  readonly rpc: number;
  readonly ubus: number;
  readonly smpp: number;
  readonly exit: number;
}

const row = (http: number, rpc: number, ubus: number, smpp: number, exit: number): Mapping => ({
  http,
  rpc,
  ubus,
  smpp,
  exit,
});

export const errorTable = {
  // The request itself.
  parse_error: row(400, -32700, 12, 0x02, 65),
  invalid_request: row(400, -32600, 1, 0x03, 64),
  method_not_found: row(404, -32601, 3, 0x03, 64),
  invalid_argument: row(400, -32602, 2, 0x08, 64),
  object_not_found: row(404, -32000, 4, 0x03, 64),
  access_denied: row(403, -32002, 6, 0x0e, 77),
  timeout: row(504, -32003, 7, 0x08, 75),
  too_large: row(413, -32010, 2, 0x01, 65),
  too_many: row(429, -32011, 6, 0x58, 75),
  not_supported: row(501, -32012, 8, 0x03, 69),

  // What was asked for.
  message_not_found: row(404, -32020, 4, 0x0c, 66),
  group_not_found: row(404, -32021, 4, 0x34, 66),
  group_empty: row(409, -32022, 5, 0x34, 66),
  modem_not_found: row(404, -32023, 4, 0x08, 66),
  module_not_found: row(404, -32024, 4, 0x08, 66),
  invalid_number: row(400, -32025, 2, 0x0b, 65),
  invalid_text: row(400, -32026, 2, 0x01, 65),
  text_too_long: row(400, -32027, 2, 0x01, 65),
  wrong_state: row(409, -32028, 8, 0x11, 65),

  // What stands in the way.
  queue_full: row(503, -32040, 11, 0x14, 75),
  store_full: row(507, -32041, 11, 0x14, 75),
  store_unavailable: row(503, -32042, 13, 0x08, 74),
  store_locked: row(503, -32043, 13, 0x08, 75),
  modem_unavailable: row(503, -32044, 5, 0x08, 69),
  modem_rejected: row(502, -32045, 9, 0x45, 70),
  module_unavailable: row(503, -32046, 5, 0x08, 69),
  connection_failed: row(502, -32047, 10, 0x08, 69),
  peer_rejected: row(502, -32048, 9, 0x45, 70),
  config_invalid: row(500, -32049, 12, 0x08, 78),
  stopping: row(503, -32050, 10, 0x08, 75),
  internal: row(500, -32603, 9, 0x08, 70),
} as const satisfies Record<string, Mapping>;

export type ErrorCode = keyof typeof errorTable;

/** An error that a caller may see. `message` says what was got and what was wanted, and never holds a secret. */
export class GatewayError extends Error {
  readonly code: ErrorCode;

  constructor(code: ErrorCode, message: string, options?: ErrorOptions) {
    super(message, options);
    this.name = 'GatewayError';
    this.code = code;
  }

  get mapping(): Mapping {
    return errorTable[this.code];
  }
}

/** Anything thrown, as a GatewayError. The text of an unforeseen error stays inside: it may hold what strangers sent. */
export function toGatewayError(thrown: unknown): GatewayError {
  if (thrown instanceof GatewayError) return thrown;
  return new GatewayError('internal', 'internal error, see the log', { cause: thrown });
}

/** One line about anything thrown, for the log. */
export function describeError(thrown: unknown): string {
  if (!(thrown instanceof Error)) return String(thrown);
  const cause = thrown instanceof GatewayError && thrown.cause !== undefined ? ` (${describeError(thrown.cause)})` : '';
  return `${thrown.message}${cause}`;
}
