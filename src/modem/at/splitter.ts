/** What a modem's byte stream consists of. */
export type AtInput =
  | { readonly type: 'line'; readonly text: string }
  /** `> `: the modem waits for a PDU (TS 27.005 3.5.1). */
  | { readonly type: 'prompt' }
  /** A line longer than any modem has to say; dropped. */
  | { readonly type: 'junk'; readonly length: number };

/** Longest line taken, octets. The longest real ones are USSD answers in hexadecimal, under 1,000. */
export const MAX_LINE = 4096;

const LINE_END = /[\r\n]+/g;
/** Noise in front of a line is no part of it: everything that a modem says starts with a printable character. */
const NOISE = /^[^ -~]+/;

/**
 * Cuts a byte stream into lines and prompts, whatever the chunks. Any run of CR and LF ends a line and empty lines
 * vanish, so all variants of line ends read the same. One character of a line is one octet.
 */
export class AtSplitter {
  /** While a prompt is due, a lone `>` is one: not every modem puts the blank behind it. */
  expectPrompt = false;
  #line = '';
  #dropped = 0;
  #blankMayFollow = false;

  push(chunk: Buffer): readonly AtInput[] {
    const inputs: AtInput[] = [];
    const text = chunk.toString('latin1');
    for (let begin = 0; begin < text.length; ) {
      LINE_END.lastIndex = begin;
      const end = LINE_END.exec(text)?.index;
      this.#characters(text.slice(begin, end), inputs);
      if (end === undefined) break;
      this.#end(inputs);
      begin = LINE_END.lastIndex;
    }
    return inputs;
  }

  #characters(text: string, inputs: AtInput[]): void {
    let rest = this.#blankMayFollow && text.startsWith(' ') ? text.slice(1) : text;
    if (text !== '') this.#blankMayFollow = false;
    if (this.#line === '' || this.#line === '>') rest = this.#withoutPrompts(rest, inputs);
    const taken = this.#dropped > 0 ? '' : rest.slice(0, MAX_LINE - this.#line.length);
    this.#line += taken;
    this.#dropped += rest.length - taken.length;
  }

  /** The characters behind the prompts that stand first in the line. */
  #withoutPrompts(text: string, inputs: AtInput[]): string {
    let rest = text;
    for (;;) {
      if (this.#line === '') rest = rest.replace(NOISE, '');
      const due = this.expectPrompt && this.#line === '' && rest.startsWith('>');
      if (!due && !`${this.#line}${rest.slice(0, 2)}`.startsWith('> ')) return rest;
      rest = rest.slice(due ? 1 : 2 - this.#line.length);
      this.#line = '';
      inputs.push({ type: 'prompt' });
      this.#blankMayFollow = due && rest === '';
      if (due && rest.startsWith(' ')) rest = rest.slice(1);
    }
  }

  #end(inputs: AtInput[]): void {
    const text = this.#line.trimEnd();
    if (this.#dropped > 0) inputs.push({ type: 'junk', length: this.#line.length + this.#dropped });
    else if (text !== '') inputs.push({ type: 'line', text });
    this.#line = '';
    this.#dropped = 0;
    this.#blankMayFollow = false;
  }
}
