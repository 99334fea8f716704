import { type Config, repeatedNames, repeatedSections, singleNames, singleSections } from './schema/index.ts';
import type { SectionSchema } from './schema/option.ts';

type Values = Readonly<Record<string, unknown>>;

/** Every secret of the config, alone and with its user name as protocols send the two. */
export function secretsOf(config: Config): ReadonlySet<string> {
  const secrets = new Set<string>();
  const take = (schema: SectionSchema, values: Values) => {
    for (const secret of sectionSecrets(schema, values)) secrets.add(secret);
  };
  for (const key of singleNames) take(singleSections[key], config[key]);
  for (const key of repeatedNames) for (const values of config[key]) take(repeatedSections[key], values);
  return secrets;
}

/** Whether the value of an option is secret: also a URL with a password in it. Of options that no schema knows, undefined. */
export function isSecret(
  { options }: SectionSchema,
  option: string,
  value: string | readonly string[],
): boolean | undefined {
  const row = Object.hasOwn(options, option) ? options[option] : undefined;
  if (row === undefined || row.secret) return row?.secret;
  const type = row.type === 'list' ? row.of.type : row.type;
  return type === 'url' && [value].flat().some((text) => passwordIn(text).length > 0);
}

function sectionSecrets({ options }: SectionSchema, values: Values): readonly string[] {
  const user = values['username'];
  return Object.entries(options).flatMap(([option, row]) => {
    const texts = [values[option]].flat().filter((value) => typeof value === 'string');
    const type = row.type === 'list' ? row.of.type : row.type;
    if (type === 'url') return texts.flatMap(passwordIn);
    if (!row.secret) return [];
    // RFC 7617, RFC 4616.
    const pairs = typeof user === 'string' ? texts.flatMap((text) => [`${user}:${text}`, `\0${user}\0${text}`]) : [];
    return [...texts, ...pairs];
  });
}

/** The password that a URL carries. */
function passwordIn(url: string): readonly string[] {
  const [, user, password] = /^(?:https?:\/\/)?([^/?#:@]*):([^/?#@]+)@/i.exec(url) ?? [];
  if (user === undefined || password === undefined) return [];
  try {
    const plain = decodeURIComponent(password);
    return [password, plain, `${decodeURIComponent(user)}:${plain}`];
  } catch {
    return [password];
  }
}
