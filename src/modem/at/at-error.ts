/**
 * Why an AT command brought no answer: `cms` and `cme` with the cause the modem named (TS 27.005 3.2.5, 27.007 9.2),
 * `error` for a bare ERROR, `timeout` for one command without an answer, `silent` when the modem answers nothing at
 * all any more, `closed` when the port or the session is gone, `aborted` when the caller gave up.
 */
export type AtErrorKind = 'cms' | 'cme' | 'error' | 'timeout' | 'silent' | 'closed' | 'aborted';

export class AtError extends Error {
  readonly kind: AtErrorKind;
  readonly causeCode: number | undefined;

  constructor(kind: AtErrorKind, message: string, cause?: number) {
    super(message);
    this.name = 'AtError';
    this.kind = kind;
    this.causeCode = cause;
  }
}
