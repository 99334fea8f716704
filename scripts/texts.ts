/** The texts in `_()` and `N_()` of the sources, and the titles of menu and access rules. */
import { readdir, readFile } from 'node:fs/promises';
import { join, relative } from 'node:path';

const root = join(import.meta.dirname, '..');

/** What the server writes into the pages itself, also before a login. */
export const SERVER_TEXTS = 'src/http/pages';

export interface Source {
  readonly template: string;
  readonly folders: readonly string[];
  readonly json: readonly string[];
}

/** A text of the sources, and where it stands. */
export interface Text {
  readonly id: string;
  readonly plural?: string;
  readonly context?: string;
  readonly places: readonly string[];
}

/** The texts of a template, in the order of their files. */
export async function collectTexts({ folders, json }: Pick<Source, 'folders' | 'json'>): Promise<readonly Text[]> {
  const texts = new Map<string, Text & { places: string[] }>();
  const add = (text: Omit<Text, 'places'>, place: string) => {
    const key = `${text.context ?? ''}\u0001${text.id}`;
    const known = texts.get(key);
    if (known === undefined) texts.set(key, { ...text, places: [place] });
    else if (!known.places.includes(place)) known.places.push(place);
  };
  for (const folder of folders) {
    for (const path of await filesBelow(folder, /\.(?:js|ts)$/)) {
      for (const text of textsOf(await readFile(join(root, path), 'utf8'))) add(text, path);
    }
  }
  for (const folder of json) {
    for (const path of await filesBelow(folder, /\.json$/)) {
      const source = await readFile(join(root, path), 'utf8');
      for (const [, id = ''] of source.matchAll(/"(?:title|description)":\s*"([^"]+)"/g)) add({ id }, path);
    }
  }
  return [...texts.values()];
}

/** The calls of `_` and `N_` with texts that stand there. */
function* textsOf(source: string): Generator<Omit<Text, 'places'>> {
  for (const match of source.matchAll(/(?<![\w$.])(N?)_\(\s*/g)) {
    let at = match.index + match[0].length;
    const plural = match[1] === 'N';
    if (plural) {
      const comma = endOfArgument(source, at);
      at = comma + 1;
    }
    const [id, afterId] = readLiteral(source, at);
    if (id === undefined) continue;
    const [second] = readLiteral(source, afterId, true);
    if (plural) {
      if (second === undefined) throw new Error(`N_ of "${id}" has no plural`);
      yield { id, plural: second };
    } else yield second === undefined ? { id } : { id, context: second };
  }
}

/** Where the comma behind the argument stands that begins here. */
function endOfArgument(source: string, from: number): number {
  let depth = 0;
  for (let at = from; at < source.length; at++) {
    const char = source[at];
    if (char === '(' || char === '[') depth++;
    else if (char === ')' || char === ']') depth--;
    else if (char === ',' && depth === 0) return at;
  }
  throw new Error('a call does not end');
}

/** The literal at this place, with `afterComma` behind a comma; undefined where there is something else. */
function readLiteral(source: string, from: number, afterComma = false): readonly [string | undefined, number] {
  const head = afterComma ? /\s*,\s*/y : /\s*/y;
  head.lastIndex = from;
  const blank = head.exec(source);
  if (blank === null) return [undefined, from];
  const literal = /'((?:[^'\\\n]|\\.)*)'|"((?:[^"\\\n]|\\.)*)"/y;
  literal.lastIndex = from + blank[0].length;
  const found = literal.exec(source);
  if (found === null) return [undefined, from];
  const text = (found[1] ?? found[2] ?? '').replace(/\\(u[0-9a-fA-F]{4}|.)/g, (_all, sign: string) =>
    sign.length === 5 ? String.fromCharCode(Number.parseInt(sign.slice(1), 16)) : sign === 'n' ? '\n' : sign,
  );
  return [text, literal.lastIndex];
}

async function filesBelow(folder: string, pattern: RegExp): Promise<readonly string[]> {
  const entries = await readdir(join(root, folder), { recursive: true, withFileTypes: true });
  return entries
    .filter((entry) => entry.isFile() && pattern.test(entry.name))
    .map((entry) => relative(root, join(entry.parentPath, entry.name)))
    .sort();
}
