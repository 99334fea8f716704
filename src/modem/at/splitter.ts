/** What a modem's byte stream consists of. */
export type AtInput =
  | { readonly type: 'line'; readonly text: string }
  /** `> `: the modem waits for a PDU (TS 27.005 3.5.1). */
  | { readonly type: 'prompt' }
  /** A line longer than any modem has to say; dropped. */
  | { readonly type: 'junk'; readonly length: number };

/** Longest line taken, octets. The longest real ones are USSD answers in hexadecimal, under 1,000. */
export const MAX_LINE = 4096;

const CR = 0x0d;
const LF = 0x0a;
const PROMPT = 0x3e;
const BLANK = 0x20;

/**
 * Cuts a byte stream into lines and prompts, whatever the chunks. Any run of CR and LF ends a line and empty lines
 * vanish, so all variants of line ends read the same. One character of a line is one octet.
 */
export class AtSplitter {
  /** While a prompt is due, a lone `>` is one: not every modem puts the blank behind it. */
  expectPrompt = false;
  #line: number[] = [];
  #dropped = 0;
  #blankMayFollow = false;

  push(chunk: Uint8Array): readonly AtInput[] {
    const inputs: AtInput[] = [];
    for (const octet of chunk) this.#octet(octet, inputs);
    return inputs;
  }

  #octet(octet: number, inputs: AtInput[]): void {
    const afterPrompt = this.#blankMayFollow;
    this.#blankMayFollow = false;
    if (octet === CR || octet === LF) this.#end(inputs);
    else if (!afterPrompt || octet !== BLANK) this.#character(octet, inputs);
  }

  #character(octet: number, inputs: AtInput[]): void {
    // Noise in front of a line is no part of it: everything that a modem says starts with a printable character.
    if (this.#line.length === 0 && this.#dropped === 0 && (octet < 0x20 || octet > 0x7e)) return;
    if (this.#line.length === MAX_LINE || this.#dropped > 0) {
      this.#dropped++;
      return;
    }
    this.#line.push(octet);
    if (this.#isPrompt()) {
      this.#line = [];
      this.#blankMayFollow = octet === PROMPT;
      inputs.push({ type: 'prompt' });
    }
  }

  #isPrompt(): boolean {
    if (this.#line[0] !== PROMPT) return false;
    return this.#line.length === 1 ? this.expectPrompt : this.#line.length === 2 && this.#line[1] === BLANK;
  }

  #end(inputs: AtInput[]): void {
    const text = latin1(this.#line);
    if (this.#dropped > 0) inputs.push({ type: 'junk', length: this.#line.length + this.#dropped });
    else if (text !== '') inputs.push({ type: 'line', text });
    this.#line = [];
    this.#dropped = 0;
  }
}

function latin1(octets: readonly number[]): string {
  return Buffer.from(octets).toString('latin1').trimEnd();
}
