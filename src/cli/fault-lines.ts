import type { Json } from '../base/json.ts';
import { tables } from './answer.ts';
import { cell } from './layout.ts';

/** Faults of the config as compilers write them: `file:line: error: section.option: message`. */
export function faultLines(faults: Json | undefined): string {
  const lines = tables(faults).map(({ severity, file, line, section, option, message }) => {
    const place = line === undefined ? cell(file) : `${cell(file)}:${cell(line)}`;
    const name = [section, option].filter((part) => part !== undefined).map(cell);
    return [place, cell(severity), ...(name.length === 0 ? [] : [name.join('.')]), cell(message)].join(': ');
  });
  return lines.join('\n');
}
