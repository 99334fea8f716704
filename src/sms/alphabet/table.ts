/** 128 UTF-16 code units by septet. Every character of these alphabets is one unit. */
export type Table = Uint16Array;

/** A septet without a character. */
export const UNDEFINED = 0xffff;
export const ESCAPE = 0x1b;

/** In a drawing: a place that the language fills, or that stays undefined. */
const FREE = '·';
/** In a drawing: a control code, never a character. */
const CONTROL = '␛';

/** A table from a drawing of its 128 places; `fill` goes into the free places in order. */
export function drawTable(drawing: string, fill: readonly number[] = []): Table {
  const table = new Uint16Array(128).fill(UNDEFINED);
  let filled = 0;
  for (let septet = 0; septet < table.length; septet++) {
    const place = drawing.charAt(septet);
    if (place === FREE) table[septet] = fill[filled++] ?? UNDEFINED;
    else if (place !== CONTROL) table[septet] = place.charCodeAt(0);
  }
  return table;
}

/** A copy of a table with other characters at some places. */
export function changeTable(table: Table, changes: Readonly<Record<number, string>>): Table {
  const changed = table.slice();
  for (const [septet, character] of Object.entries(changes)) changed[Number(septet)] = character.charCodeAt(0);
  return changed;
}

/** Code points from a list of hexadecimal numbers and ranges; a dot is a place left undefined. */
export function codePoints(list: string, base = 0): readonly number[] {
  return list.split(' ').flatMap((item) => {
    if (item === '.') return [UNDEFINED];
    const [first = '', last = first] = item.split('-');
    const start = Number.parseInt(first, 16);
    return Array.from({ length: Number.parseInt(last, 16) - start + 1 }, (_, step) => base + start + step);
  });
}
