/** Where messages may go: allow_prefix and deny_prefix against all the ways to write a number. */
import { internationalBeginnings, internationalForms } from '../../base/phone-number.ts';
import type { CeilingPolicy, Prefix } from '../../config/ceilings.ts';

/** Digits from which on what stands beside `*` and `#` may be a number, and no code such as `*31#`. */
const SHORTEST = 4;

/**
 * Why no message of a function may go to the number, what is said of it; undefined when one may. `names` are those of the
 * function and its account; `listCountries` gives the country codes that national numbers may belong to.
 */
export function whyNot(
  number: string,
  names: readonly string[],
  { allow, deny }: Pick<CeilingPolicy, 'allow' | 'deny'>,
  listCountries: () => readonly string[],
): string | undefined {
  if (allow.length + deny.length === 0) return undefined;
  const countries = listCountries();
  // Of what stands between `*` and `#`, nobody knows what the network takes for the number.
  const runs = [number, ...number.split(/[*#]+/)].filter((run) => run.length >= SHORTEST || run === number);
  const forms = runs.map((run) => formsOf(run, countries));
  const begins = ({ begin }: Prefix) => {
    const wanted = formsOfPrefix(begin, countries);
    return (of: readonly string[]) => of.some((form) => wanted.some((each) => form.startsWith(each)));
  };
  const denied = deny.find((each) => (each.of === undefined || names.includes(each.of)) && forms.some(begins(each)));
  if (denied !== undefined) return `begins with ${denied.begin}, which deny_prefix names`;
  const own = allow.filter(({ of }) => of !== undefined && names.includes(of));
  const allowed = own.length > 0 ? own : allow.filter(({ of }) => of === undefined);
  const isAllowed = forms.every((of) => allowed.some((each) => begins(each)(of)));
  return allowed.length === 0 || isAllowed ? undefined : 'begins with nothing that allow_prefix names';
}

/** The same for all ways to write one number. */
export function oneFormOf(number: string, listCountries: () => readonly string[]): string {
  if (/^\+[0-9]+$/.test(number)) return number;
  const forms = formsOf(number, listCountries());
  const international = forms.filter((form) => form.startsWith('+'));
  // The shortest is the one without a trunk prefix.
  return international.sort((a, b) => a.length - b.length)[0] ?? forms.at(-1) ?? number;
}

/** The beginning as it is written, and a national one as it is from abroad. */
const formsOfPrefix = (begin: string, countries: readonly string[]): readonly string[] => [
  begin,
  ...countries.flatMap((country) => internationalBeginnings(begin, country)).map((digits) => `+${digits}`),
];

/** The ways to write the number, the international ones last. Codes in front, such as `*31#`, are no part of it. */
function formsOf(number: string, countries: readonly string[]): readonly string[] {
  const bare = number.replace(/[*#]+$/, '').replace(/^.*[*#](?=[0-9])/, '');
  const known = countries.length === 0 ? [undefined] : countries;
  const international = known.flatMap((country) => internationalForms(bare, country)).map((digits) => `+${digits}`);
  return [...new Set([number, bare, ...international])];
}
