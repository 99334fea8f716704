import { createHash } from 'node:crypto';
import { gzipSync } from 'node:zlib';
import type { Entry, Tree } from './tree.ts';

const BLOCK = 512;

const padded = (octets: Buffer, unit: number): Buffer =>
  Buffer.concat([octets, Buffer.alloc((unit - (octets.length % unit)) % unit)]);

/** A header of POSIX.1-1988 ustar. */
function header(entry: Entry, time: number): Buffer {
  const block = Buffer.alloc(BLOCK);
  const name = `./${entry.path}${entry.kind === 'directory' && entry.path !== '' ? '/' : ''}`;
  if (Buffer.byteLength(name) > 100) throw new Error(`${name}: too long for a tar archive`);
  const octal = (value: number, at: number, size: number) =>
    block.write(`${value.toString(8).padStart(size - 1, '0')}\0`, at);
  block.write(name, 0);
  octal(entry.kind === 'link' ? 0o777 : entry.mode, 100, 8);
  octal(0, 108, 8);
  octal(0, 116, 8);
  octal(entry.kind === 'file' ? entry.data.length : 0, 124, 12);
  octal(time, 136, 12);
  block.write(' '.repeat(8), 148);
  block.write({ file: '0', link: '2', directory: '5' }[entry.kind], 156);
  if (entry.kind === 'link') block.write(entry.target, 157);
  block.write('ustar\x0000', 257);
  block.write('root', 265);
  block.write('root', 297);
  const sum = block.reduce((total, octet) => total + octet, 0);
  block.write(`${sum.toString(8).padStart(6, '0')}\0 `, 148);
  return block;
}

/** A gzipped tar archive. Nothing in it depends on when or by whom it is made but `time`, seconds since the epoch. */
export function tarGz(tree: Tree, time: number): Buffer {
  const root: Entry = { kind: 'directory', path: '', mode: 0o755 };
  const blocks = [root, ...tree.entries].flatMap((entry) => [
    header(entry, time),
    ...(entry.kind === 'file' ? [padded(entry.data, BLOCK)] : []),
  ]);
  const tar = padded(Buffer.concat([...blocks, Buffer.alloc(2 * BLOCK)]), 20 * BLOCK);
  const gzip = gzipSync(tar, { level: 9 });
  // The system that packed it: always Unix.
  gzip[9] = 3;
  return gzip;
}

/** An ar archive as dpkg reads it. */
export function ar(members: readonly (readonly [name: string, data: Buffer])[], time: number): Buffer {
  const parts = members.flatMap(([name, data]) => {
    const fields = [name.padEnd(16), String(time).padEnd(12), '0'.padEnd(6), '0'.padEnd(6), '100644'.padEnd(8)];
    return [
      Buffer.from(`${fields.join('')}${String(data.length).padEnd(10)}\`\n`),
      data,
      Buffer.from('\n').subarray(0, data.length % 2),
    ];
  });
  return Buffer.concat([Buffer.from('!<arch>\n'), ...parts]);
}

export const digest = (algorithm: 'md5' | 'sha256', data: Buffer): string =>
  createHash(algorithm).update(data).digest('hex');
