import { execFileSync } from 'node:child_process';
import { readFileSync, symlinkSync } from 'node:fs';
import { join } from 'node:path';
import t from 'tap';
import { newFolder } from '../support/folder.ts';

const root = join(import.meta.dirname, '../..');
const run = (program: string, args: readonly string[], cwd = root) => execFileSync(program, args, { cwd }).toString();

t.test('what npm packs runs by the names that npm installs', async (t) => {
  const place = newFolder(t);
  // Without its scripts: other tests run from dist meanwhile.
  const [packed] = JSON.parse(run('npm', ['pack', '--ignore-scripts', '--json', '--pack-destination', place])) as [
    { filename: string },
  ];
  run('tar', ['xzf', packed.filename], place);
  const manifest = JSON.parse(readFileSync(join(place, 'package/package.json'), 'utf8')) as {
    version: string;
    bin: Record<string, string>;
  };
  t.same(Object.keys(manifest.bin), ['sms_gateway', 'smsgw']);
  for (const [name, file] of Object.entries(manifest.bin)) {
    symlinkSync(join(place, 'package', file), join(place, name));
    t.match(run('node', [join(place, name), '--version']), manifest.version, name);
  }
});
