import type { Test } from 'tap';
import type { FileSystem } from '../../src/store/journal/file-system.ts';
import { newFolder } from '../support/folder.ts';
import { ModuleRig } from '../support/module-rig.ts';
import { pass } from '../support/outbox-rig.ts';

export const NAME = 'forwarding_to_http';

/** Names of the two fields that nearly everybody wants. */
export const names = { number_name: 'Sender', message_name: 'Text' };

type Options = Readonly<Record<string, string>>;

export function configWith(options: Options, more = ''): string {
  const lines = Object.entries({ enabled: '1', ...options }).map(([name, value]) => `\toption ${name} '${value}'\n`);
  return `config sms_gateway '${NAME}'\n${lines.join('')}${more}`;
}

export async function rigWith(t: Test, options: Options, more = '', fileSystem?: FileSystem): Promise<ModuleRig> {
  const config = configWith(options, more);
  const rig = await ModuleRig.open(newFolder(t), { config, ...(fileSystem && { fileSystem }) });
  t.teardown(() => rig.close());
  return rig;
}

export const pending = (rig: ModuleRig): number => rig.store.deliveries.pending(NAME);

/**
 * Lets time pass in steps of `ms` until `check` holds, but never while a request is under way: its deadline would pass
 * before the answer, which takes real time, and the server would be asked once more.
 */
export async function passBetween(rig: ModuleRig, ms: number, check: () => boolean, what: string): Promise<void> {
  rig.deliveriesTakeNoTime();
  await pass(rig.clock, ms, check, what);
}
