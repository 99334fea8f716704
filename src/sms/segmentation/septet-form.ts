import { encodeSeptets, isEncodable } from '../alphabet/gsm7.ts';
import { hasLockingTable, hasSingleTable, type Shift, shiftElements } from '../alphabet/national.ts';
import { transliterate } from '../alphabet/transliteration.ts';
import { type Split, type SplitOptions, split } from './split.ts';

/** A text in GSM 7-bit, split. */
export interface SeptetForm extends Split {
  readonly text: string;
  /** Septets of the text, headers not counted. */
  readonly length: number;
}

export interface SeptetOptions extends SplitOptions {
  readonly dcs: number;
  readonly shifts: readonly Shift[];
  readonly transliterate: boolean;
}

/** The pairs of tables to choose from when the recipients' phones know these languages. */
export function shiftsOf(languages: readonly number[]): readonly Shift[] {
  const lockings = [0, ...languages.filter(hasLockingTable)];
  const singles = [0, ...languages.filter(hasSingleTable)];
  return lockings.flatMap((locking) => singles.map((single) => ({ locking, single })));
}

/** The cheapest form of a text in septets, transliterated only when nothing else helps; undefined when there is none. */
export function septetForm(text: string, options: SeptetOptions): SeptetForm | undefined {
  const form = cheapest(text, options);
  if (form !== undefined || !options.transliterate) return form;
  return cheapest(
    transliterate(text, (unit) => options.shifts.some((shift) => isEncodable(unit, shift))),
    options,
  );
}

/** Fewest parts; of equals fewest tables, which every phone is surest to know; of equals fewest septets. */
function cheapest(text: string, options: SeptetOptions): SeptetForm | undefined {
  let best: SeptetForm | undefined;
  let bestTables = 0;
  for (const shift of options.shifts) {
    const septets = encodeSeptets(text, shift);
    if (septets === undefined) continue;
    const tables = shiftElements(shift);
    const elements = [...(options.elements ?? []), ...tables];
    const form = { ...split(options.dcs, septets, { ...options, elements }), text, length: septets.length };
    const gain =
      best === undefined
        ? 1
        : best.parts.length - form.parts.length || bestTables - tables.length || best.length - form.length;
    if (gain <= 0) continue;
    [best, bestTables] = [form, tables.length];
    // The default alphabet in one part cannot be beaten.
    if (form.parts.length === 1 && tables.length === 0) break;
  }
  return best;
}
