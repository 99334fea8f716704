/** Writes the table of operations into docs/api.md, from src/http/api/routes.ts. The text around it is written by hand. */
import { readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { type ApiRoute, apiRoutes, pathArguments } from '../src/http/api/routes.ts';

export const apiFile = join(import.meta.dirname, '../docs/api.md');

const START = '<!-- operations: generated from src/http/api/routes.ts by `npm run docs`; do not edit -->';
const END = '<!-- end of operations -->';

function row({ method, path, signature, scope, own, object, call }: ApiRoute): string {
  const inPath = pathArguments(path);
  const args = Object.entries(signature.args).filter(([name]) => !inPath.includes(name));
  const names = args.map(([name, { required }]) => (required === true ? `**\`${name}\`**` : `\`${name}\``));
  const cells = [
    `\`${method} ${path}\``,
    own === true ? `${scope}; send for own messages` : scope,
    names.join(' '),
    `\`${object} ${call}\``,
  ];
  return `| ${cells.join(' | ')} |`;
}

/** The page with its table as the code has it now. Throws when the marks are missing. */
export function apiDocs(page: string): string {
  const [start, end] = [page.indexOf(START), page.indexOf(END)];
  if (start < 0 || end < start) throw new Error(`docs/api.md wants ${START} and ${END}`);
  const head = '| operation | scope | arguments | method of the namespace |\n|---|---|---|---|';
  return `${page.slice(0, start)}${START}\n\n${head}\n${apiRoutes.map(row).join('\n')}\n\n${page.slice(end)}`;
}

if (process.argv[1] === import.meta.filename) {
  writeFileSync(apiFile, apiDocs(readFileSync(apiFile, 'utf8')));
}
