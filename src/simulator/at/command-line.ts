/** One command of a command line, V.250 5.3 and 5.4. `invalid` is what cannot be read as a command. */
export type ParsedCommand =
  | { readonly type: 'read' | 'test' | 'execute'; readonly name: string }
  | { readonly type: 'set'; readonly name: string; readonly value: string }
  | { readonly type: 'invalid' };

const REGISTER = /^S([0-9]{1,3})(?:(\?)|=([0-9]{1,3}))/i;
const BASIC = /^(&?[A-Z])([0-9]{0,3})/i;
const EXTENDED = /^[+^$#*%][A-Z][A-Z0-9]*/i;

/** The commands after the `AT` of a line, in order. Ends behind the first that is invalid. */
export function* parseCommandLine(body: string): Generator<ParsedCommand> {
  let rest = dropBlanks(body);
  while (rest !== '') {
    const extended = EXTENDED.exec(rest);
    if (extended !== null) {
      const end = commandEnd(rest);
      yield extendedCommand(extended[0].toUpperCase(), rest.slice(extended[0].length, end));
      rest = rest.slice(end + 1);
      continue;
    }
    const register = REGISTER.exec(rest);
    const basic = BASIC.exec(rest);
    const name = basic?.[1]?.toUpperCase();
    if (register !== null) {
      const registerName = `S${Number(register[1])}`;
      yield register[2] === '?'
        ? { type: 'read', name: registerName }
        : { type: 'set', name: registerName, value: register[3] ?? '' };
      rest = rest.slice(register[0].length);
    } else if (name === 'D') {
      // A dial string reaches to the end of the line.
      yield { type: 'set', name, value: rest.slice(1) };
      return;
    } else if (basic !== null && name !== undefined) {
      const value = basic[2] ?? '';
      yield value === '' ? { type: 'execute', name } : { type: 'set', name, value };
      rest = rest.slice(basic[0].length).replace(/^;/, '');
    } else {
      yield { type: 'invalid' };
      return;
    }
  }
}

function extendedCommand(name: string, tail: string): ParsedCommand {
  if (tail === '') return { type: 'execute', name };
  if (tail === '?') return { type: 'read', name };
  if (tail === '=?') return { type: 'test', name };
  if (tail.startsWith('=')) return { type: 'set', name, value: tail.slice(1) };
  return { type: 'invalid' };
}

/** Where the command that `text` begins with ends: at a semicolon outside quotes, or at the end. */
function commandEnd(text: string): number {
  let quoted = false;
  for (let i = 0; i < text.length; i++) {
    if (text[i] === '"') quoted = !quoted;
    else if (text[i] === ';' && !quoted) return i;
  }
  return text.length;
}

/** V.250 5.2.1: blanks and control characters outside strings do not count. */
function dropBlanks(text: string): string {
  let quoted = false;
  let kept = '';
  for (const c of text) {
    if (c === '"') quoted = !quoted;
    if (quoted || c > ' ') kept += c;
  }
  return kept;
}
