/** The rules of the inbox, from the `gateway` section. */
export interface InboxPolicy {
  /** Messages that it holds at most. */
  readonly capacity: number;
  /** Whether a full inbox drops its oldest read message for a new one. Otherwise new ones stay on the modem. */
  readonly evict: boolean;
  /** How long the missing parts of a message are waited for. */
  readonly partTimeoutHours: number;
}
