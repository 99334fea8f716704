import { readFile } from 'node:fs/promises';
import t from 'tap';
import { libcOf, loadSerialPort } from '../../src/modem/port/serial.ts';

const line = (file: string) => `7f950b133000-7f950b134000 r--p 00000000 fe:00 338944                     ${file}\n`;

t.test('the C library of a process, by its maps', async (t) => {
  const cases = [
    [
      ['/usr/bin/node', '/usr/lib/x86_64-linux-gnu/libc.so.6', '/usr/lib/x86_64-linux-gnu/ld-linux-x86-64.so.2'],
      'glibc',
    ],
    [['/usr/bin/node', '/lib/arm-linux-gnueabihf/ld-2.31.so', '/lib/arm-linux-gnueabihf/libc-2.31.so'], 'glibc'],
    [['/usr/bin/node', '/lib/ld-linux-armhf.so.3'], 'glibc'],
    [['/usr/bin/node', '/lib/ld-musl-x86_64.so.1'], 'musl'],
    // OpenWrt: the loader is a link to it.
    [['/usr/bin/node', '/usr/lib/libstdc++.so.6.0.30', '/lib/libc.so'], 'musl'],
    [['/usr/bin/node'], undefined],
    [[], undefined],
  ] as const;
  for (const [files, libc] of cases) t.equal(libcOf(files.map(line).join('')), libc, files.join(' '));
});

t.test('a binding that does not load is replaced by the other one, with a word about it', async (t) => {
  // The wrong one for this process, as an environment from elsewhere may say.
  const right = libcOf(await readFile('/proc/self/maps', 'utf8'));
  const wrong = right === 'musl' ? 'glibc' : 'musl';
  process.env['LIBC'] = wrong;
  const { dlopen } = process;
  const { open, warning } = await loadSerialPort();
  t.type(open, 'function');
  t.match(warning, new RegExp(`binding is the one for ${right}`));
  t.equal(process.dlopen, dlopen, 'nothing stays replaced');
  t.equal((await loadSerialPort()).warning, warning, 'loaded once');
});
