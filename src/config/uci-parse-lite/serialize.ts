import { bytesOfText } from './byte-text.ts';
import type { UciPackage } from './package-model.ts';

const quoted = (text: string) => `'${text.replaceAll("'", "'\\''")}'`;

/** uci leaves a type unquoted, also one with characters that it then reads otherwise; those are quoted here. */
const typeWord = (type: string) => (/['"\\#;]/.test(type) ? quoted(type) : type);

/** The package as `uci commit` writes it to its file. */
export function fileForm(uci: UciPackage): Buffer {
  const lines: string[] = [];
  for (const section of uci.sections) {
    lines.push('', `config ${typeWord(section.type)}${section.anonymous ? '' : ` '${section.name}'`}`);
    for (const [name, { value }] of section.options) {
      if (typeof value === 'string') lines.push(`\toption ${name} ${quoted(value)}`);
      else for (const element of value) lines.push(`\tlist ${name} ${quoted(element)}`);
    }
  }
  return bytesOfText(`${lines.join('\n')}\n\n`.slice(lines.length === 0 ? 1 : 0));
}

/** The package as `uci export` prints it. */
export function exportForm(uci: UciPackage): Buffer {
  return Buffer.concat([Buffer.from(`package ${uci.name}\n`), fileForm(uci)]);
}
