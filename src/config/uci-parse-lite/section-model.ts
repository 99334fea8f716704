import { isName } from './names.ts';
import { UciError } from './uci-error.ts';

export type UciValue = string | readonly string[];

export interface UciOption {
  readonly value: UciValue;
  /** Lines of the file that the value, or each element of the list, stands on; 0 for what was not read from a file. */
  readonly lines: readonly number[];
}

interface OwnOption extends UciOption {
  readonly value: string | string[];
  readonly lines: number[];
}

export interface SectionHead {
  /** For an unnamed section the name that uci makes up. It shifts when sections move: never store it. */
  readonly name: string;
  readonly type: string;
  readonly anonymous: boolean;
  /** Line of the file; 0 for what was not read from a file. */
  readonly line: number;
}

export class UciSection implements SectionHead {
  readonly name: string;
  readonly type: string;
  readonly anonymous: boolean;
  readonly line: number;
  readonly #options: Map<string, OwnOption>;

  constructor(head: SectionHead, options = new Map<string, OwnOption>()) {
    this.name = head.name;
    this.type = head.type;
    this.anonymous = head.anonymous;
    this.line = head.line;
    this.#options = options;
  }

  /** In the order of the file. */
  get options(): ReadonlyMap<string, UciOption> {
    return this.#options;
  }

  /** Sets an option, in its place when it is there already. An empty value or list deletes it. */
  set(option: string, value: UciValue, line = 0): void {
    checkOption(option, value);
    if (value.length === 0) this.#options.delete(option);
    else if (typeof value === 'string') this.#options.set(option, { value, lines: [line] });
    else this.#options.set(option, { value: [...value], lines: value.map(() => line) });
  }

  /** Appends to a list. A single value becomes the first element. */
  addList(option: string, value: string, line = 0): void {
    checkOption(option, value);
    const old = this.#options.get(option);
    const elements = old === undefined ? [] : typeof old.value === 'string' ? [old.value] : old.value;
    const lines = old?.lines ?? [];
    elements.push(value);
    lines.push(line);
    this.#options.set(option, { value: elements, lines });
  }

  /** Says whether it was there. */
  delete(option: string): boolean {
    return this.#options.delete(option);
  }

  /** The same section under a name of its own. */
  renamed(name: string): UciSection {
    return new UciSection({ name, type: this.type, anonymous: false, line: this.line }, this.#options);
  }
}

function checkOption(option: string, value: UciValue): void {
  if (!isName(option)) throw new UciError('invalid character in name field');
  const elements = typeof value === 'string' ? [value] : value;
  if (elements.some((element) => element.includes('\0'))) throw new UciError('a value cannot hold a NUL byte');
}
