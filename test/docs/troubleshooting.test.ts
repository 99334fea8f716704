import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import t from 'tap';
import { errorTable } from '../../src/base/errors.ts';
import { modemStates } from '../../src/modem/status.ts';
import { moduleStates } from '../../src/modules/host/contract.ts';
import { outboxStateNames } from '../../src/store/message.ts';

const text = readFileSync(join(import.meta.dirname, '../../docs/troubleshooting.md'), 'utf8');

const words: Readonly<Record<string, readonly string[]>> = {
  'state of a modem': modemStates.filter((state) => state !== 'ready'),
  'state of a message': outboxStateNames,
  'state of a function': moduleStates,
  'error code': Object.keys(errorTable),
};

for (const [kind, names] of Object.entries(words)) {
  t.test(`every ${kind} has its cure in docs/troubleshooting.md`, (t) => {
    t.ok(names.length > 5);
    // The first cell of a row names it.
    for (const name of names) t.match(text, new RegExp(`^\\|[^|]*\`${name}\`[^|]*\\|`, 'm'), name);
    t.end();
  });
}
