/** Longest command line, in characters. */
const MAX_LINE = 2_048;
/** Most characters a prompt takes: 2 * (12 + 164) hexadecimal digits and some decoration. */
const MAX_DATA = 1_024;
/** Octets kept while a command runs; the UART loses what comes beyond. */
const MAX_WAITING = 65_536;

const BACKSPACE = 8;
const CR = 13;
const LF = 10;
const CTRL_Z = 26;
const ESC = 27;
const SLASH = 47;

export interface TerminalOwner {
  /** Whether a CR in prompted data begins a new line of text; in PDU mode it is ignored. */
  readonly textMode: boolean;
  /** Gives back what was typed, if the host wants that. */
  echo(typed: string): void;
  /** Carries out what follows the `AT`; undefined stands for a line too long. Input waits until it resolves. */
  run(line: string | undefined): Promise<void>;
}

type Mode = 'command' | 'busy' | 'data';

/** The modem's side of the line: collects command lines and prompted data, echoes, edits. V.250 5.2. */
export class Terminal {
  readonly #owner: TerminalOwner;
  #mode: Mode = 'command';
  #waiting = '';
  /** How much of #waiting is taken already. */
  #taken = 0;
  #typed = '';
  #line = '';
  #overflow = false;
  #last = '';
  #finishData: ((data: string | undefined) => void) | undefined;
  /** Grows with each reset, so that the end of a command from before it is not taken for one of now. */
  #epoch = 0;

  constructor(owner: TerminalOwner) {
    this.#owner = owner;
  }

  /** True while a prompt is open. */
  get prompting(): boolean {
    return this.#mode === 'data';
  }

  /** True while a command runs or a prompt is open. */
  get busy(): boolean {
    return this.#mode !== 'command';
  }

  /** Octets of the host, one character each. */
  input(octets: string): void {
    this.#waiting += octets.slice(0, Math.max(0, MAX_WAITING - this.#waiting.length));
    this.#pump();
  }

  /** Opens data mode for a running command. Resolves to the data, or to undefined after ESC. */
  data(): Promise<string | undefined> {
    return new Promise((resolve) => {
      this.#mode = 'data';
      this.#line = '';
      this.#overflow = false;
      this.#finishData = resolve;
      this.#pump();
    });
  }

  /** As after power-on: nothing typed, nothing running. A prompt that was open ends as cancelled. */
  reset(): void {
    this.#epoch++;
    this.#mode = 'command';
    this.#waiting = '';
    this.#taken = 0;
    this.#typed = '';
    this.#clearLine();
    this.#last = '';
    const finish = this.#finishData;
    this.#finishData = undefined;
    finish?.(undefined);
  }

  #pump(): void {
    while (this.#taken < this.#waiting.length && this.#mode !== 'busy') {
      const code = this.#waiting.charCodeAt(this.#taken++);
      if (this.#mode === 'command') this.#command(code);
      else this.#datum(code);
    }
    this.#waiting = this.#waiting.slice(this.#taken);
    this.#taken = 0;
    this.#flushEcho();
  }

  #flushEcho(): void {
    const typed = this.#typed;
    this.#typed = '';
    if (typed !== '') this.#owner.echo(typed);
  }

  #command(code: number): void {
    this.#typed += String.fromCharCode(code);
    if (code === CR) {
      const start = this.#line.search(/AT/i);
      const line = this.#line;
      const overflow = this.#overflow;
      this.#clearLine();
      // V.250 5.2.1: what does not begin with AT is not for the modem, it says nothing.
      if (start < 0) return;
      this.#last = overflow ? '' : line.slice(start + 2);
      this.#run(overflow ? undefined : this.#last);
    } else if (code === BACKSPACE) {
      this.#line = this.#line.slice(0, -1);
    } else if (code === ESC) {
      // As at a prompt: a host that does not know at which of the two it is needs one way out of both. Otherwise the CR
      // behind it could end a command that opens a prompt.
      this.#clearLine();
    } else if (this.#line.length >= MAX_LINE) {
      this.#overflow = true;
    } else {
      this.#line += String.fromCharCode(code);
      // V.250 5.2.4: repeats the last line, without waiting for a CR.
      if (code === SLASH && /A\/$/i.test(this.#line) && !/AT/i.test(this.#line)) {
        this.#clearLine();
        this.#run(this.#last);
      }
    }
  }

  #datum(code: number): void {
    if (code === CTRL_Z || code === ESC) {
      const data = code === ESC ? undefined : this.#overflow ? '' : this.#line;
      const finish = this.#finishData;
      this.#finishData = undefined;
      this.#clearLine();
      this.#mode = 'busy';
      this.#flushEcho();
      finish?.(data);
      return;
    }
    this.#typed += code === CR && this.#owner.textMode ? '\r\n> ' : String.fromCharCode(code);
    if (code === BACKSPACE) this.#line = this.#line.slice(0, -1);
    else if (code === LF || (code === CR && !this.#owner.textMode)) return;
    else if (this.#line.length >= MAX_DATA) this.#overflow = true;
    else this.#line += code === CR ? '\n' : String.fromCharCode(code);
  }

  #run(line: string | undefined): void {
    this.#mode = 'busy';
    this.#flushEcho();
    const epoch = this.#epoch;
    void this.#owner.run(line).finally(() => {
      if (epoch !== this.#epoch) return;
      this.#mode = 'command';
      this.#pump();
    });
  }

  #clearLine(): void {
    this.#line = '';
    this.#overflow = false;
  }
}
