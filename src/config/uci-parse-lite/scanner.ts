import { UciError } from './model.ts';

/** Blanks of isspace(3) in the C locale. */
const isBlank = (character: string) => /^[ \t\n\v\f\r]$/.test(character);

/** A line as statements begin: within quotes it mostly means that a quote above is not closed. */
const statement = /^[ \t]*(?:package|config|option|list)[ \t]/;

/**
 * Reads the words of a UCI file as the real uci does, its oddities included. The source is one character a byte.
 * `''` as the current character means that the line has ended.
 */
export class Scanner {
  readonly #source: string;
  #offset = 0;
  #line = '';
  #at = 0;
  #newlines = 0;
  /** Line of the first quote that has a line within it that looks like a statement. */
  #swallowing: number | undefined;
  /** Line of the first quote of this statement that goes on over its line. */
  #spanning: number | undefined;

  constructor(source: string) {
    this.#source = source;
  }

  /** The line number that uci reports: newlines read so far, so that an unfinished last line does not count. */
  get reportedLine(): number {
    return this.#newlines;
  }

  /** Number of the current line, from 1. */
  get line(): number {
    return this.#line.endsWith('\n') ? this.#newlines : this.#newlines + 1;
  }

  /** Line of the quote that is perhaps not closed, when what was read so far cannot be understood. */
  get openQuote(): number | undefined {
    return this.#swallowing ?? this.#spanning;
  }

  /** Goes to the next line of the file; false at its end. */
  nextLine(): boolean {
    const more = this.#offset < this.#source.length;
    this.#fetch();
    return more;
  }

  /** The keyword that a statement begins with; undefined when the line has nothing more. */
  keyword(first: boolean): string | undefined {
    if (first) this.#skipBlanks();
    this.#spanning = undefined;
    // strtok(3) with blank and tab alone: "config\n" is one word, and no keyword.
    const word = /[ \t]*([^ \t]*)/y;
    word.lastIndex = this.#at;
    const text = word.exec(this.#line)?.[1] ?? '';
    this.#at = word.lastIndex;
    return text === '' ? undefined : text;
  }

  /** Skips the blank after a keyword; false at the end of the file. */
  afterKeyword(): boolean {
    if (this.#current === '') return false;
    this.#at++;
    return true;
  }

  /** The next word of the statement; `''` at its end. */
  word(): string {
    this.#skipBlanks();
    if (this.#current === ';') {
      this.#at++;
      return '';
    }
    return this.#word();
  }

  get #current(): string {
    return this.#line.charAt(this.#at);
  }

  #endLine(): void {
    this.#line = '';
    this.#at = 0;
  }

  #skipBlanks(): void {
    while (isBlank(this.#current)) this.#at++;
  }

  /** The next line in place of the current one. A NUL hides the rest of a line, its newline too. */
  #fetch(): void {
    const pieces: string[] = [];
    this.#at = 0;
    while (this.#offset < this.#source.length) {
      const newline = this.#source.indexOf('\n', this.#offset);
      const end = newline < 0 ? this.#source.length : newline + 1;
      const physical = this.#source.slice(this.#offset, end);
      this.#offset = end;
      const nul = physical.indexOf('\0');
      pieces.push(nul < 0 ? physical : physical.slice(0, nul));
      if (nul < 0 && newline >= 0) this.#newlines++;
      if (nul <= 0) break;
    }
    this.#line = pieces.join('');
  }

  #word(): string {
    const pieces: string[] = [];
    let bare = true;
    do {
      const character = this.#current;
      if (character === "'" || character === '"') {
        this.#at++;
        bare = false;
        if (character === "'") this.#singleQuoted(pieces);
        else this.#doubleQuoted(pieces);
      } else if (character === '#') {
        this.#endLine();
        return pieces.join('');
      } else if (character === ';') {
        // uci ends a word in place. Behind a bare word that overwrites the semicolon and hides the rest of the line.
        if (bare) this.#endLine();
        return pieces.join('');
      } else if (character === '\\') {
        bare = false;
        this.#backslash(pieces);
      } else {
        this.#plain(/[^'"#;\\ \t\n\v\f\r]*/y, pieces);
      }
    } while (this.#current !== '' && !isBlank(this.#current));
    if (this.#current !== '') this.#at++;
    return pieces.join('');
  }

  #plain(pattern: RegExp, pieces: string[]): void {
    pattern.lastIndex = this.#at;
    const text = pattern.exec(this.#line)?.[0] ?? '';
    this.#at += text.length;
    pieces.push(text);
  }

  #singleQuoted(pieces: string[]): void {
    const opened = this.line;
    for (;;) {
      this.#plain(/[^']*/y, pieces);
      if (this.#current === "'") break;
      this.#fetchQuoted("'", opened);
    }
    this.#at++;
  }

  #doubleQuoted(pieces: string[]): void {
    const opened = this.line;
    for (;;) {
      this.#plain(/[^"\\]*/y, pieces);
      if (this.#current === '"') break;
      if (this.#current === '\\') this.#backslash(pieces);
      else this.#fetchQuoted('"', opened);
    }
    this.#at++;
  }

  #fetchQuoted(quote: string, opened: number): void {
    this.#spanning ??= opened;
    this.#fetch();
    if (this.#line === '') throw new UciError(`EOF with unterminated ${quote}`);
    if (statement.test(this.#line)) this.#swallowing ??= opened;
  }

  /** A backslash takes the next character as it is, or joins the next line. */
  #backslash(pieces: string[]): void {
    this.#at++;
    const rest = this.#line.slice(this.#at, this.#at + 3);
    if (rest === '' || rest.startsWith('\n') || rest === '\r\n') {
      this.#fetch();
      return;
    }
    pieces.push(this.#current);
    this.#at++;
  }
}
