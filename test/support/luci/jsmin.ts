/**
 * A minifier that works as the one of LuCI's build does (Crockford's jsmin, which knows no template literals and decides
 * by the character before whether a slash begins a regular expression): a view that it breaks is broken on a router.
 */
const isWord = (char: string) => /[\w$\\]/.test(char) || char > '\u007f';

/** Throws where jsmin gives up. */
export function jsmin(source: string): string {
  let at = 0;
  let out = '';
  let [a, b] = ['\n', ''];
  const get = (): string => {
    const char = source[at++] ?? '';
    return char === '\r' ? '\n' : char >= ' ' || char === '\n' || char === '' ? char : ' ';
  };
  const peek = () => source[at] ?? '';
  /** The next character that is not in a comment; a comment counts as white space. */
  const next = (): string => {
    const char = get();
    if (char !== '/') return char;
    if (peek() === '/') {
      for (;;) {
        const each = get();
        if (each <= '\n') return each;
      }
    }
    if (peek() !== '*') return char;
    get();
    for (;;) {
      const each = get();
      if (each === '') throw new Error('a comment does not end');
      if (each === '*' && peek() === '/') {
        get();
        return ' ';
      }
    }
  };
  const quoted = (quote: string): void => {
    for (;;) {
      out += a;
      a = get();
      if (a === quote) return;
      if (a === '\\') {
        out += a;
        a = get();
      }
      if (a === '') throw new Error('a string does not end');
    }
  };
  const expression = (): void => {
    out += a;
    if (a === '/' || a === '*') out += ' ';
    out += b;
    for (;;) {
      a = get();
      if (a === '[') {
        for (;;) {
          out += a;
          a = get();
          if (a === ']') break;
          if (a === '\\') {
            out += a;
            a = get();
          }
          if (a === '') throw new Error('a set in a regular expression does not end');
        }
      } else if (a === '/') {
        if (peek() === '/' || peek() === '*') throw new Error('a comment behind a regular expression');
        break;
      } else if (a === '\\') {
        out += a;
        a = get();
      }
      if (a === '') throw new Error('a regular expression does not end');
      out += a;
    }
    b = next();
  };
  const action = (kind: 1 | 2 | 3): void => {
    if (kind === 1) out += a;
    if (kind <= 2) {
      a = b;
      if (a === "'" || a === '"' || a === '`') quoted(a);
    }
    b = next();
    if (b === '/' && '(,=:[!&|?+-~*/{}\n'.includes(a)) expression();
  };
  action(3);
  while (a !== '') {
    if (a === ' ') action(isWord(b) ? 1 : 2);
    else if (a === '\n') {
      if ('{[(+-!~'.includes(b) && b !== '') action(1);
      else if (b === ' ') action(3);
      else action(isWord(b) ? 1 : 2);
    } else if (b === ' ') action(isWord(a) ? 1 : 3);
    else if (b === '\n') action('}])+-"\'`'.includes(a) || isWord(a) ? 1 : 3);
    else action(1);
  }
  return out;
}
