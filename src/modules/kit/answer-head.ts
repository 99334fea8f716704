/** An answer without its body. */
export interface HttpAnswer {
  readonly status: number;
  /** Target of a redirect; octets above 0x7F percent-encoded. */
  readonly location?: string;
  readonly retryAfter?: string;
}

/** Octets of the status lines and headers, with those of answers 1xx. */
const MAX_HEAD = 64 * 1024;
/** Answers 1xx before the real one. */
const MAX_INFORMATIONAL = 16;

/** RFC 9112 9.3: connections stay open since HTTP/1.1. */
const persistent = /^\s*HTTP\/1\.1\s/i;
const statusLine = /^\s*(?:HTTP(?:\/\d{1,3}(?:\.\d{1,3})?)?|ICY)\s+([1-9]\d{2})(?!\d)/i;
const redirects: ReadonlySet<number> = new Set([301, 302, 303, 307, 308]);
const kept: ReadonlySet<string> = new Set([
  'location',
  'retry-after',
  'connection',
  'content-length',
  'transfer-encoding',
]);

/**
 * Reads the head of an answer as devices and hand-written servers send it (RFC 9112 2.2, 4, 5.2 and laxer): lines end
 * with LF, with or without CR; a malformed header line is skipped. A status that can be read counts whatever follows:
 * the server has decided by then, and a second request would deliver the message twice.
 */
export class AnswerHead {
  #line = '';
  #octets = 0;
  #informational = 0;
  #status: number | undefined;
  readonly #fields = new Map<string, string>();
  /** Name of the header line that a folded line continues. */
  #open = '';
  /** The head is read. `#whole`: up to its blank line. */
  #complete = false;
  #whole = false;
  #persistent = false;

  /** Reads the next octets. Resolves to those behind the head. */
  push(chunk: Buffer): Buffer {
    let rest = chunk.toString('latin1');
    this.#octets += chunk.length;
    while (!this.#complete) {
      const end = rest.indexOf('\n');
      if (end === -1) break;
      this.#takeLine(this.#line + rest.slice(0, end));
      this.#line = '';
      rest = rest.slice(end + 1);
    }
    if (!this.#complete) this.#line += rest;
    if (this.#octets > MAX_HEAD) this.end();
    return this.#complete ? chunk.subarray(chunk.length - rest.length) : Buffer.alloc(0);
  }

  /** No more octets come: the last line counts without its end. */
  end(): void {
    if (!this.#complete && this.#line !== '') this.#takeLine(this.#line);
    this.#line = '';
    this.#complete = true;
  }

  /** Whether it is read up to its blank line. */
  get whole(): boolean {
    return this.#whole;
  }

  /** How the body ends on a connection that stays open behind it; undefined where the connection does not, or it is not certain. */
  get framing(): { readonly length: number; readonly chunked: boolean } | undefined {
    if (!this.#whole || !this.#persistent || this.#status === 101) return undefined;
    if (/\bclose\b/i.test(this.#fields.get('connection') ?? '')) return undefined;
    if (this.#status === 204 || this.#status === 304) return { length: 0, chunked: false };
    const encoding = this.#fields.get('transfer-encoding');
    if (encoding !== undefined) return /^chunked$/i.test(encoding) ? { length: 0, chunked: true } : undefined;
    const length = this.#fields.get('content-length') ?? '';
    return /^\d{1,9}$/.test(length) ? { length: Number(length), chunked: false } : undefined;
  }

  /** Whether nothing that follows can change the answer. */
  get decided(): boolean {
    return this.#complete || (this.#status !== undefined && this.#status >= 200 && this.#status < 300);
  }

  /** Undefined without a status, and for a redirect that broke off before its location. */
  get answer(): HttpAnswer | undefined {
    if (this.#status === undefined || (this.#status < 200 && this.#status !== 101)) return undefined;
    const isRedirect = redirects.has(this.#status);
    const location = isRedirect ? this.#fields.get('location') : undefined;
    if (isRedirect && location === undefined && !this.#whole) return undefined;
    const retryAfter = this.#fields.get('retry-after');
    return {
      status: this.#status,
      ...(location !== undefined && { location: encoded(location) }),
      ...(retryAfter !== undefined && { retryAfter }),
    };
  }

  #takeLine(ended: string): void {
    const line = ended.replace(/\r{1,2}$/, '');
    const status = this.#status === undefined || this.#status < 200 ? statusOf(line) : undefined;
    if (status !== undefined) {
      this.#persistent = persistent.test(line);
      this.#begin(status);
    } else if (line.trim() === '') this.#endBlock();
    // No status line in front: the peer does not speak HTTP.
    else if (this.#status === undefined) this.#complete = true;
    else this.#takeField(line);
  }

  #begin(status: number): void {
    if (this.#status !== undefined) this.#informational += 1;
    this.#status = status;
    this.#fields.clear();
    this.#open = '';
    if (this.#informational > MAX_INFORMATIONAL) {
      this.#status = undefined;
      this.#complete = true;
    }
  }

  #endBlock(): void {
    // Blank lines in front of the status line are ignored. After a 1xx another answer follows.
    this.#whole = this.#status !== undefined && (this.#status >= 200 || this.#status === 101);
    this.#complete = this.#whole;
  }

  #takeField(line: string): void {
    if (/^[ \t]/.test(line)) {
      const value = this.#fields.get(this.#open);
      if (value !== undefined) this.#fields.set(this.#open, `${value} ${line.trim()}`);
      return;
    }
    const colon = line.indexOf(':');
    const name = line.slice(0, Math.max(colon, 0)).trim().toLowerCase();
    const first = kept.has(name) && !this.#fields.has(name);
    this.#open = first ? name : '';
    if (first) this.#fields.set(name, line.slice(colon + 1).trim());
  }
}

function statusOf(line: string): number | undefined {
  const digits = statusLine.exec(line)?.[1];
  return digits === undefined ? undefined : Number(digits);
}

function encoded(latin1: string): string {
  return latin1.replace(/[\x80-\xff]/g, (octet) => `%${octet.charCodeAt(0).toString(16).toUpperCase()}`);
}
