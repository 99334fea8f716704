/** What the conversation with ubusd may cost. */
export const limits = {
  /** Octets of a message with its header: ubusd.h UBUS_MAX_MSGLEN, beyond which ubusd cuts the client off. */
  messageLength: 1024 * 1024,
  /** Levels of tables and arrays in a message. */
  depth: 32,
  /** Fields of a received message, on all levels. */
  fields: 10_000,
  /** How long ubusd may take to answer a request, ms. */
  requestMs: 5_000,
  /** Requests that are open; events beyond are dropped. */
  openRequests: 1024,
  /** How long a call may take, ms: ubusd does not say when its caller has gone. `message.send` waits up to 300 s. */
  callMs: 310_000,
  /** Calls that are being answered; more are refused. */
  inFlight: 64,
  /** Octets that ubusd may leave unread before events are dropped. */
  unreadEvents: 1024 * 1024,
  /** Octets that ubusd may leave unread before it is given up. */
  unreadOutput: 4 * 1024 * 1024,
  /** How long until the next try after a lost connection or a refused object, ms: as libubus does. */
  againMs: 1_000,
  /** How long a connection may take to close, ms. */
  closeMs: 1_000,
} as const;
