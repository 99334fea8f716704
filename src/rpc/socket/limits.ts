/** What a connection may cost. */
export const limits = {
  connections: 32,
  /** How long a connection without calls and subscriptions keeps its place when others want it, ms. */
  idleMs: 60_000,
  /** Octets of a line: a request body of 64 KiB fits, each octet written as \u00XX. */
  lineLength: 512 * 1024,
  /** Lines of one connection that are being answered; more wait in the socket, also while output is unread. */
  inFlight: 8,
  /** Octets that a client may leave unread before the next event cuts it off. */
  unreadOutput: 1024 * 1024,
  /** How long output may stay unread, ms. */
  drainMs: 30_000,
  /** How long calls may go on after the client has closed its side, ms. */
  lingerMs: 5_000,
  /** How long a connection may take to close, ms. */
  closeMs: 1_000,
} as const;
