export interface UciErrorOptions extends ErrorOptions {
  readonly file?: string | undefined;
  /** 1-based; as uci counts, the last line counts only when a newline ends it, so 0 occurs. */
  readonly line?: number | undefined;
}

/** What uci-parse-lite throws. `reason` is the wording of the real uci where it has one. */
export class UciError extends Error {
  readonly reason: string;
  readonly file: string | undefined;
  readonly line: number | undefined;

  constructor(reason: string, options: UciErrorOptions = {}) {
    const line = options.line === undefined ? '' : ` at line ${options.line}`;
    super(`${options.file === undefined ? '' : `${options.file}: `}${reason}${line}`, options);
    this.name = 'UciError';
    this.reason = reason;
    this.file = options.file;
    this.line = options.line;
  }
}
