/** The local calendar day that a time falls in, as text to compare. */
export function dayOf(time: number): string {
  const date = new Date(time);
  const two = (n: number) => String(n).padStart(2, '0');
  return `${date.getFullYear()}-${two(date.getMonth() + 1)}-${two(date.getDate())}`;
}

/** When the next local calendar day begins, ms since the epoch. */
export function nextDay(time: number): number {
  const date = new Date(time);
  return new Date(date.getFullYear(), date.getMonth(), date.getDate() + 1).getTime();
}

/** Parts that each modem has sent on the latest local calendar day that it sent on. */
export class DailyCount {
  readonly #counts = new Map<string, { readonly day: string; readonly parts: number }>();

  add(modem: string, day: string, parts = 1): void {
    const count = this.#counts.get(modem);
    this.#counts.set(modem, { day, parts: (count?.day === day ? count.parts : 0) + parts });
  }

  on(modem: string, day: string): number {
    const count = this.#counts.get(modem);
    return count?.day === day ? count.parts : 0;
  }

  *[Symbol.iterator](): Iterator<{ readonly modem: string; readonly day: string; readonly parts: number }> {
    for (const [modem, count] of this.#counts) yield { modem, ...count };
  }
}
