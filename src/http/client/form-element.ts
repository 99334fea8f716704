import { Class, members } from './class.ts';

/** What maps, sections and options have in common. */
export abstract class FormElement extends Class {
  title: unknown;
  description: unknown;
  children: FormElement[] = [];

  constructor(title?: unknown, description?: unknown) {
    super();
    this.title = title ?? '';
    this.description = description ?? '';
  }

  append(child: FormElement): void {
    this.children.push(child);
  }

  abstract render(...args: never[]): unknown;
  abstract load(...args: never[]): unknown;
  abstract parse(...args: never[]): unknown;

  stripTags(text: unknown): string {
    const value = text instanceof Node ? (text.textContent ?? '') : String(text ?? '');
    if (!/[<&]/.test(value)) return value;
    // In a template nothing is loaded and nothing runs: the text may hold what a stranger wrote.
    const node = document.createElement('template');
    node.innerHTML = value.replace(/<br ?\/?>/g, '\n');
    return (node.content.textContent ?? '').trim();
  }

  /** A member that is a text, or a function that makes one. */
  titleFn(name: string, ...args: unknown[]): unknown {
    const member = members(this)[name];
    const value = typeof member === 'function' ? member.apply(this, args) : member;
    return value === null || value === undefined || value === '' ? null : value;
  }
}

export const isEmpty = (value: unknown): boolean =>
  value === null || value === undefined || value === '' || (Array.isArray(value) && value.length === 0);

/** As uci compares: what differs in form only is equal. A wanted value may be a regular expression. */
export function isEqual(value: unknown, wanted: unknown): boolean {
  if (wanted instanceof RegExp) return value !== null && value !== undefined && wanted.test(String(value));
  if (Array.isArray(value) || Array.isArray(wanted)) {
    const [a, b] = [value, wanted].map((each) => (Array.isArray(each) ? each : isEmpty(each) ? [] : [each]));
    return a?.length === b?.length && (a ?? []).every((each, i) => String(each) === String(b?.[i]));
  }
  return String(value ?? '') === String(wanted ?? '');
}

const contains = (value: unknown, wanted: unknown): boolean =>
  Array.isArray(value) ? value.some((each) => isEqual(each, wanted)) : String(value ?? '').includes(String(wanted));

export const matches = (value: unknown, wanted: unknown, byContent: boolean): boolean =>
  byContent ? contains(value, wanted) : isEqual(value, wanted);
