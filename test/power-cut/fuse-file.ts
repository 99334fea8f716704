/**
 * The program that serves a VolatileDisk to the kernel as a file, by the FUSE protocol (version 7.31, include/uapi/linux/fuse.h):
 * `fuse-file.ts PATH OCTETS`. A loop device on that file is a real disk, whose flushes arrive here as FSYNC. Takes orders
 * from the process that started it.
 */
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { constants, openSync, read, writeSync } from 'node:fs';
import { setTimeout as wait } from 'node:timers/promises';
import { promisify } from 'node:util';
import { seeded } from '../support/seeded.ts';
import { type CutKind, VolatileDisk } from './volatile-disk.ts';

export type Order =
  /** No request is answered any more: time stands still for the disk. */
  | { readonly order: 'hold' }
  /** Every request is answered as if it was done, and nothing is: whoever still runs can let go. */
  | { readonly order: 'deaf' }
  /** The power is back; `kind` of what was not safe. */
  | { readonly order: 'cut'; readonly kind: CutKind; readonly seed: number };

export interface Report {
  /** Writes that were not safe at the cut. */
  readonly unsafe: number;
  readonly flushes: number;
}

/** Operations that the kernel asks of a single file. */
const INIT = 26;
const GETATTR = 3;
const SETATTR = 4;
const OPEN = 14;
const READ = 15;
const WRITE = 16;
const STATFS = 17;
const RELEASE = 18;
const FSYNC = 20;
const FLUSH = 25;
/** Those that get no answer: FORGET, INTERRUPT, BATCH_FORGET. */
const silent: ReadonlySet<number> = new Set([2, 36, 42]);

const MAX_WRITE = 128 * 1024;
const HEADER_IN = 40;
const HEADER_OUT = 16;
const WRITE_IN = 40;
/** The file is never cached by the kernel: FOPEN_DIRECT_IO. */
const DIRECT_IO = 1;
/** INIT flags: writes longer than a page (FUSE_BIG_WRITES). */
const BIG_WRITES = 1 << 5;
const [ENOSYS, ENODEV] = [38, 'ENODEV'];

/** Longest time of a flush, ms, as that of cheap flash: the power is often cut in the middle of one. */
const FLUSH_TIME = 12;

const nothing = Buffer.alloc(0);

class FuseFile {
  readonly #disk: VolatileDisk;
  readonly #fd: number;
  #mode: 'works' | 'holds' | 'deaf' = 'works';
  #held: Buffer[] = [];

  constructor(disk: VolatileDisk, fd: number) {
    this.#disk = disk;
    this.#fd = fd;
  }

  /** Until the file is unmounted. */
  async serve(): Promise<void> {
    const receive = promisify(read);
    for (;;) {
      const buffer = Buffer.alloc(MAX_WRITE + 4096);
      try {
        const { bytesRead } = await receive(this.#fd, buffer, 0, buffer.length, null);
        const request = buffer.subarray(0, bytesRead);
        if (this.#mode === 'holds') this.#held.push(request);
        else if (this.#mode === 'works' && request.readUInt32LE(4) === FSYNC) void this.#flush(request);
        else this.#handle(request);
      } catch (error) {
        if (error instanceof Error && 'code' in error && error.code === ENODEV) return;
        throw error;
      }
    }
  }

  take(order: Order): Report {
    if (order.order === 'hold') this.#mode = 'holds';
    if (order.order === 'deaf') {
      this.#mode = 'deaf';
      for (const request of this.#held.splice(0)) this.#handle(request);
    }
    let unsafe = 0;
    if (order.order === 'cut') {
      unsafe = this.#disk.cut(order.kind, seeded(order.seed));
      this.#mode = 'works';
    }
    return { unsafe, flushes: this.#disk.flushes };
  }

  async #flush(request: Buffer): Promise<void> {
    const done = this.#disk.flush();
    await wait(Math.random() * FLUSH_TIME);
    if (this.#mode === 'holds') return void this.#held.push(request);
    if (this.#mode === 'works') done();
    this.#handle(request);
  }

  #handle(request: Buffer): void {
    const opcode = request.readUInt32LE(4);
    if (silent.has(opcode)) return;
    const body = this.#answer(opcode, request.subarray(HEADER_IN));
    const answer = Buffer.alloc(HEADER_OUT + (body?.length ?? 0));
    answer.writeUInt32LE(answer.length, 0);
    answer.writeInt32LE(body === undefined ? -ENOSYS : 0, 4);
    request.copy(answer, 8, 8, 16);
    body?.copy(answer, HEADER_OUT);
    writeSync(this.#fd, answer);
  }

  /** Undefined for what a file that is a disk does not do. */
  #answer(opcode: number, body: Buffer): Buffer | undefined {
    const disk = this.#disk;
    const offset = () => Number(body.readBigUInt64LE(8));
    const length = () => body.readUInt32LE(16);
    switch (opcode) {
      case INIT: {
        const answer = Buffer.alloc(64);
        answer.writeUInt32LE(7, 0);
        answer.writeUInt32LE(31, 4);
        answer.writeUInt32LE(BIG_WRITES, 12);
        answer.writeUInt32LE(MAX_WRITE, 20);
        answer.writeUInt32LE(1, 24);
        return answer;
      }
      case GETATTR:
      case SETATTR: {
        const answer = Buffer.alloc(104);
        answer.writeBigUInt64LE(1n, 16);
        answer.writeBigUInt64LE(BigInt(disk.size), 24);
        answer.writeBigUInt64LE(BigInt(disk.size / 512), 32);
        answer.writeUInt32LE(constants.S_IFREG | 0o600, 76);
        answer.writeUInt32LE(1, 80);
        answer.writeUInt32LE(4096, 96);
        return answer;
      }
      case OPEN: {
        const answer = Buffer.alloc(16);
        answer.writeUInt32LE(DIRECT_IO, 8);
        return answer;
      }
      case READ:
        return disk.read(offset(), length());
      case WRITE: {
        const answer = Buffer.alloc(8);
        const data = body.subarray(WRITE_IN, WRITE_IN + length());
        answer.writeUInt32LE(this.#mode === 'deaf' ? data.length : disk.write(offset(), data), 0);
        return answer;
      }
      case FSYNC:
      case FLUSH:
      case RELEASE:
        return nothing;
      case STATFS:
        return Buffer.alloc(80);
      default:
        return undefined;
    }
  }
}

const [path = '', octets = ''] = process.argv.slice(2);
const fd = openSync('/dev/fuse', 'r+');
const options = `fd=3,rootmode=${constants.S_IFREG.toString(8)},user_id=0,group_id=0`;
// Without a helper program: the descriptor that the kernel talks to is that of this process.
const mount = spawn('mount', ['-i', '-t', 'fuse', '-o', options, 'volatile-disk', path], {
  stdio: ['ignore', 'inherit', 'inherit', fd],
});
const [code] = await once(mount, 'exit');
if (code !== 0) process.exit(1);
const file = new FuseFile(new VolatileDisk(Number(octets)), fd);
process.on('message', (order: Order) => process.send?.(file.take(order)));
process.on('disconnect', () => process.exit(0));
process.send?.({ unsafe: 0, flushes: 0 } satisfies Report);
await file.serve();
