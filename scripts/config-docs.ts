/** Writes docs/config.md from the schema table. */
import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { repeatedSections, singleSections } from '../src/config/schema/index.ts';
import type { OptionRow, SectionSchema } from '../src/config/schema/option.ts';
import { formOf } from '../src/config/value.ts';

export const docsFile = join(import.meta.dirname, '../docs/config.md');

const intro = `# The configuration, \`/etc/config/sms_gateway\`

Generated from the schema table in \`src/config/schema\` by \`npx tsx scripts/config-docs.ts\`; do not edit.

\`uci set sms_gateway.post_get.enabled=1; uci commit sms_gateway\` changes an option; the gateway sees the commit and restarts
only what it concerns. \`smsgw config check\` lists the errors of a file. After an error the last good values of that section
stay in force as long as the gateway runs, but for \`enabled 0\`, which counts at once; after the next start the section is off. \`smsgw status\`,
the log and the web pages name the line.

* Sections of which there is one are found by name, whatever their type. The others are found by type, named or not.
* An option marked • is one of the original RUT240 gateway, under its name and with its default. The others are additions;
  a file that does not have them makes the gateway behave as the original.
* Booleans are \`1\` or \`0\`; \`on\`, \`yes\`, \`true\`, \`enabled\` and their opposites are understood. Durations are whole numbers in the
  unit named. Phone numbers may begin with \`+\` or \`00\`, and may hold blanks and dashes.
* "needed": must be set while the section is on.
`;

const plain = (text: string) => text.replaceAll('|', '\\|');
const cell = (text: string) => plain(text).replaceAll('<', '&lt;');

function valueCell(row: OptionRow): string {
  if (row.type === 'list') return `list: ${formOf(row.of)}`;
  const unit = row.type === 'integer' && row.unit !== undefined ? ` (${row.unit})` : '';
  return `${formOf(row)}${unit}`;
}

function defaultCell(row: OptionRow): string {
  if (row.needed && row.default === undefined) return 'needed';
  const { default: value } = row;
  if (value === undefined || value === '') return '';
  if (Array.isArray(value)) return value.map((each) => `\`${each}\``).join(' ');
  return `\`${typeof value === 'boolean' ? Number(value) : value}\``;
}

function optionLine([name, row]: readonly [string, OptionRow]): string {
  const secret = row.secret ? ' Secret.' : '';
  const cells = [
    `\`${name}\`${row.original ? ' •' : ''}`,
    valueCell(row),
    defaultCell(row),
    `**${row.label}.** ${row.help}${secret}`,
  ];
  return `| ${cells.map(cell).join(' | ')} |`;
}

function sectionText({ name, label, help, options }: SectionSchema, repeated: boolean): string {
  const head = repeated ? `## Sections of type \`${name}\`: ${label}` : `## Section \`${name}\`: ${label}`;
  const table = ['| option | value | default | |', '|---|---|---|---|', ...Object.entries(options).map(optionLine)];
  return `${head}\n\n${help}\n\n${table.join('\n')}\n`;
}

export function configDocs(): string {
  const single = Object.values(singleSections).map((schema) => sectionText(schema, false));
  const repeated = Object.values(repeatedSections).map((schema) => sectionText(schema, true));
  return [intro, ...single, ...repeated].join('\n');
}

if (process.argv[1] === import.meta.filename) writeFileSync(docsFile, configDocs());
