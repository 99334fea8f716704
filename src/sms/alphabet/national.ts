import type { InformationElement } from '../information-elements.ts';
import {
  BENGALI,
  GUJARATI,
  HINDI,
  KANNADA,
  type LanguageTables,
  MALAYALAM,
  ORIYA,
  PUNJABI,
  TAMIL,
  TELUGU,
  URDU,
} from './indic.ts';
import {
  DEFAULT_LOCKING,
  DEFAULT_SINGLE,
  PORTUGUESE_LOCKING,
  PORTUGUESE_SINGLE,
  SPANISH_SINGLE,
  TURKISH_LOCKING,
  TURKISH_SINGLE,
} from './latin.ts';
import type { Table } from './table.ts';

/** By national language identifier, TS 23.038 6.2.1.2.4. */
const LANGUAGES: readonly LanguageTables[] = [
  { locking: DEFAULT_LOCKING, single: DEFAULT_SINGLE },
  { locking: TURKISH_LOCKING, single: TURKISH_SINGLE },
  { locking: DEFAULT_LOCKING, single: SPANISH_SINGLE },
  { locking: PORTUGUESE_LOCKING, single: PORTUGUESE_SINGLE },
  BENGALI,
  GUJARATI,
  HINDI,
  KANNADA,
  MALAYALAM,
  ORIYA,
  PUNJABI,
  TAMIL,
  TELUGU,
  URDU,
];

/** Which national languages' tables a text uses: language identifiers, 0 for the default table. */
export interface Shift {
  readonly locking: number;
  readonly single: number;
}

export const NO_SHIFT: Shift = Object.freeze({ locking: 0, single: 0 });

/** A language that nobody knows reads as the default alphabet (TS 23.040 9.2.3.24.15). */
export function lockingTable(language: number): Table {
  return LANGUAGES[language]?.locking ?? DEFAULT_LOCKING;
}

export function singleTable(language: number): Table {
  return LANGUAGES[language]?.single ?? DEFAULT_SINGLE;
}

export function hasLockingTable(language: number): boolean {
  return lockingTable(language) !== DEFAULT_LOCKING;
}

export function hasSingleTable(language: number): boolean {
  return singleTable(language) !== DEFAULT_SINGLE;
}

// TS 23.040 9.2.3.24.15 and 9.2.3.24.16.
const SINGLE_SHIFT = 0x24;
const LOCKING_SHIFT = 0x25;

export function shiftOf(elements: readonly InformationElement[]): Shift {
  if (elements.length === 0) return NO_SHIFT;
  let { locking, single } = NO_SHIFT;
  for (const { id, data } of elements) {
    const [language] = data;
    if (language === undefined || data.length !== 1) continue;
    if (id === SINGLE_SHIFT) single = language;
    if (id === LOCKING_SHIFT) locking = language;
  }
  return { locking, single };
}

/** Languages without such a table have no element. */
export function shiftElements({ locking, single }: Shift): readonly InformationElement[] {
  const elements: InformationElement[] = [];
  if (hasSingleTable(single)) elements.push({ id: SINGLE_SHIFT, data: Uint8Array.of(single) });
  if (hasLockingTable(locking)) elements.push({ id: LOCKING_SHIFT, data: Uint8Array.of(locking) });
  return elements;
}
