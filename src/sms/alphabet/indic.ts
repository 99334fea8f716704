import { codePoints, drawTable, type Table, UNDEFINED } from './table.ts';

export interface LanguageTables {
  readonly locking: Table;
  readonly single: Table;
}

/** What the locking tables of the Indic languages and Urdu share, TS 23.038 A.3. The swapped brackets are the standard's. */
const LOCKING =
  '··········\n··\r··' +
  '···········␛····' +
  ' !······)(··,·.·' +
  '0123456789:;···?' +
  '················' +
  '················' +
  '·abcdefghijklmno' +
  'pqrstuvwxyz·····';

/** What their single shift tables share, TS 23.038 A.2. */
const SINGLE =
  '@£$¥¿"¤%&\'\f*+␛-/' +
  '<=>¡^¡_#*··␛····' +
  '········{}·····\\' +
  '············[~]·' +
  '|ABCDEFGHIJKLMNO' +
  'PQRSTUVWXYZ·····' +
  '·····€··········' +
  '················';

/**
 * The Unicode blocks of these scripts run parallel, and so do the tables: these letters of the block fill the locking
 * table in order. A letter that a script lacks leaves its place undefined; the last six places are each script's own.
 */
const LETTERS = codePoints('01-03 05-39 3C-4D');

function indic(block: number, script: { lacks: string; last: string; single: string }): LanguageTables {
  const lacking = new Set(codePoints(script.lacks));
  const letters = LETTERS.map((letter) => (lacking.has(letter) ? UNDEFINED : block + letter));
  return {
    locking: drawTable(LOCKING, [...letters, ...codePoints(script.last, block)]),
    single: drawTable(SINGLE, codePoints(script.single)),
  };
}

export const BENGALI = indic(0x0980, {
  lacks: '0D-0E 11-12 29 31 33-35 45-46 49-4A',
  last: '4E 57 5C-5D 70-71',
  single: '09E6-09EF 09DF-09E3 09F2-09FA',
});

export const GUJARATI = indic(0x0a80, {
  lacks: '0E 12 29 31 34 46 4A',
  last: '50 60-63 71',
  single: '0964-0965 0AE6-0AEF',
});

export const HINDI = indic(0x0900, {
  lacks: '.',
  last: '50 72 7B-7C 7E-7F',
  single: '0964-096F 0951-0954 0958-095F 0960-0963 0970-0971',
});

export const KANNADA = indic(0x0c80, {
  lacks: '01 0D 11 29 34 45 49',
  last: '55-56 60-63',
  single: '0964-0965 0CE6-0CEF 0CDE 0CF1-0CF2',
});

export const MALAYALAM = indic(0x0d00, {
  lacks: '01 0D 11 29 3C 45 49',
  last: '57 60-63 79',
  single: '0964-0965 0D66-0D75 0D7A-0D7F',
});

export const ORIYA = indic(0x0b00, {
  lacks: '0D-0E 11-12 29 31 34 45-46 49-4A',
  last: '56-57 60-63',
  single: '0964-0965 0B66-0B6F 0B5C-0B5D 0B5F 0B70-0B71',
});

export const PUNJABI = indic(0x0a00, {
  lacks: '0B-0E 11-12 29 31 34 37 3D 43-46 49-4A',
  last: '51 70-74',
  single: '0964-0965 0A66-0A6F 0A59-0A5C 0A5E 0A75',
});

export const TAMIL = indic(0x0b80, {
  lacks: '01 0B-0D 11 16-18 1B 1D 20-22 25-27 2B-2D 3C-3D 43-45 49',
  last: '50 57 70-72 79',
  single: '0964-0965 0BE6-0BEF 0BF3-0BF8 0BFA',
});

export const TELUGU = indic(0x0c00, {
  lacks: '0D 11 29 34 3C 45 49',
  last: '55-56 60-63',
  single: '. . 0C66-0C6F 0C58-0C59 0C78-0C7F',
});

export const URDU: LanguageTables = {
  locking: drawTable(
    LOCKING,
    codePoints(
      '0627 0622 0628 067B 0680 067E 06A6 062A 06C2 067F 0679 067D 067A 067C 062B-062C 0681 0684 0683 0685-0687 ' +
        '062D-062F 068C 0688-068A 068F 068D 0630-0631 0691 0693 0699 0632 0696 0698 069A 0633-0639 0641-0642 ' +
        '06A9-06AB 06AF 06B3 06B1 0644-0646 06BA-06BC 0648 06C4 06D5 06C1 06BE 0621 06CC 06D0 06D2 064D 0650 064F ' +
        '0657 0654-0655 0651 0653 0656 0670',
    ),
  ),
  single: drawTable(
    SINGLE,
    codePoints('0600-0601 06F0-06F9 060C-0614 061B 061F 0640 0652 0658 066B-066C 0672-0673 06CD 06D4'),
  ),
};
