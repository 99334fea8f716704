/**
 * Placeholders in the texts of replies, as the original names them: `%rn` router name, `%wi` WAN IP, `%cs` data
 * connection state, `%ct` connection type, `%ss` signal strength, `%fs` new firmware. Ours: `%sn` sender's number,
 * `%dt` date and time. `%%` is a percent sign; anything else stays as it is written.
 */
export const placeholders = ['rn', 'wi', 'cs', 'ct', 'ss', 'fs', 'sn', 'dt'] as const;
export type Placeholder = (typeof placeholders)[number];

/** Looks values up only for the placeholders that occur: some cost a question to the system. */
export type PlaceholderValues = Readonly<Record<Placeholder, () => string | Promise<string>>>;

const pattern = /%(%|rn|wi|cs|ct|ss|fs|sn|dt)/g;

export async function fillPlaceholders(template: string, values: PlaceholderValues): Promise<string> {
  const found = new Map<string, string>([['%', '%']]);
  for (const [, key] of template.matchAll(pattern)) {
    if (key !== undefined && !found.has(key)) found.set(key, await values[key as Placeholder]());
  }
  return template.replace(pattern, (_, key: string) => found.get(key) ?? '');
}
