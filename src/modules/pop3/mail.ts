/** A mail as Email to SMS sees it. Everything in it was chosen by a stranger. */
export interface Mail {
  /** Address of the From line in lower case; absent when there is none. */
  readonly from?: string;
  /** Where an answer goes: Reply-To, else From. */
  readonly answerTo?: string;
  readonly subject: string;
  readonly messageId?: string;
  readonly date?: string;
  /** The text that a person reads, lines ending in LF; with the marks of `quoted-text.ts` where it was HTML. */
  readonly text: string;
  /** It says that no person wrote it, or comes by a list: never to be answered. RFC 3834 2. */
  readonly automatic: boolean;
}
