/** A text of a po file and its translation: one form, or those of the plural; '' where there is none. */
export interface PoEntry {
  readonly context?: string;
  readonly id: string;
  readonly plural: boolean;
  readonly forms: readonly string[];
}

/** The entries of a po file but its header. What is marked fuzzy is a guess, and left out. */
export function readEntries(po: string): readonly PoEntry[] {
  return po
    .split(/\n\s*\n/)
    .map(readEntry)
    .filter((entry) => entry !== undefined)
    .filter(({ id }) => id !== '');
}

/** The translations of a po file as the pages want them: text → translation, or its plural forms. */
export function readCatalogue(po: string): Record<string, string | readonly string[]> {
  const catalogue: Record<string, string | readonly string[]> = {};
  for (const entry of readEntries(po)) {
    if (entry.forms.every((form) => form === '')) continue;
    const collapsed = entry.id.replace(/[ \t\n]+/g, ' ').trim();
    const key = entry.context === undefined ? collapsed : `${collapsed}\u0001${entry.context}`;
    catalogue[key] = entry.plural ? entry.forms : (entry.forms[0] ?? '');
  }
  return catalogue;
}

interface Entry {
  context?: string;
  id: string;
  plural: boolean;
  readonly forms: string[];
}

function readEntry(block: string): Entry | undefined {
  const entry: Entry = { id: '', plural: false, forms: [] };
  let add: (text: string) => void = () => undefined;
  if (/^#,.*\bfuzzy\b/m.test(block)) return undefined;
  for (const line of block.split('\n')) {
    const match = /^(msgctxt|msgid_plural|msgid|msgstr(?:\[(\d+)\])?)?\s*"(.*)"\s*$/.exec(line);
    if (match === null) continue;
    const [, keyword, index, raw = ''] = match;
    if (keyword !== undefined) add = fieldOf(entry, keyword, Number(index ?? 0));
    add(JSON.parse(`"${raw}"`));
  }
  return entry;
}

/** What appends to the field of a keyword. */
function fieldOf(entry: Entry, keyword: string, form: number): (text: string) => void {
  switch (keyword) {
    case 'msgctxt':
      return (text) => {
        entry.context = (entry.context ?? '') + text;
      };
    case 'msgid':
      return (text) => {
        entry.id += text;
      };
    case 'msgid_plural':
      entry.plural = true;
      return () => undefined;
    default:
      return (text) => {
        entry.forms[form] = (entry.forms[form] ?? '') + text;
      };
  }
}
