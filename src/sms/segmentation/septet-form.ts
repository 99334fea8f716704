import { encodeSeptets } from '../alphabet/gsm7.ts';
import { hasLockingTable, hasSingleTable, type Shift, shiftElements } from '../alphabet/national.ts';
import { type Split, type SplitOptions, split } from './split.ts';

/** A text in GSM 7-bit, split. */
export interface SeptetForm {
  readonly text: string;
  /** Septets of the text, headers not counted. */
  readonly length: number;
  readonly split: Split;
  /** How many national tables the reader must know. */
  readonly tables: number;
}

/** The pairs of tables to choose from when the recipients' phones know these languages. */
export function shiftsOf(languages: readonly number[]): readonly Shift[] {
  const lockings = [0, ...languages.filter(hasLockingTable)];
  const singles = [0, ...languages.filter(hasSingleTable)];
  return lockings.flatMap((locking) => singles.map((single) => ({ locking, single })));
}

/** The cheapest form of a text in septets; undefined when none of the pairs of tables holds it. */
export function septetForm(
  text: string,
  dcs: number,
  shifts: readonly Shift[],
  options: SplitOptions,
): SeptetForm | undefined {
  let best: SeptetForm | undefined;
  for (const shift of shifts) {
    const septets = encodeSeptets(text, shift);
    if (septets === undefined) continue;
    const elements = shiftElements(shift);
    const form = {
      text,
      length: septets.length,
      split: split(dcs, septets, options, elements),
      tables: elements.length,
    };
    if (best === undefined || isCheaper(form, best)) best = form;
    // The default alphabet in one part cannot be beaten.
    if (best.tables === 0 && best.split.parts.length === 1) break;
  }
  return best;
}

/** Fewer parts; of equals fewer tables, which phones are surer to know; of equals fewer septets. */
function isCheaper(form: SeptetForm, best: SeptetForm): boolean {
  const saved =
    best.split.parts.length - form.split.parts.length || best.tables - form.tables || best.length - form.length;
  return saved > 0;
}
