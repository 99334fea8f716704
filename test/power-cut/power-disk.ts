import { type ChildProcess, execFile, fork, spawnSync } from 'node:child_process';
import { once } from 'node:events';
import { accessSync, constants, mkdirSync, writeFileSync } from 'node:fs';
import { setTimeout as wait } from 'node:timers/promises';
import { fileURLToPath } from 'node:url';
import { promisify } from 'node:util';
import type { Daemon } from '../support/daemon.ts';
import { missingPrograms } from '../support/programs.ts';
import type { Order, Report } from './fuse-file.ts';
import { type CutKind, cutKinds } from './volatile-disk.ts';

const run = promisify(execFile);

/** With 4 MiB of journal of its own. */
const SIZE = 128 * 1024 * 1024;
const MKFS = ['-q', '-F', '-b', '4096', '-J', 'size=4', '-E', 'nodiscard'];

/** For the `skip` of a test: what the kernel, the rights or the programs lack here. */
export function noPowerDisk(): string | false {
  const programs = missingPrograms(['mount', 'umount', 'mkfs.ext4', 'e2fsck'], 'mount e2fsprogs');
  if (programs !== false) return programs;
  if (process.getuid?.() !== 0) return 'only root can mount a disk';
  for (const device of ['/dev/fuse', '/dev/loop-control']) {
    try {
      accessSync(device, constants.R_OK | constants.W_OK);
    } catch {
      return `no ${device} here: this needs a kernel with FUSE and loop devices, or a container that is given them`;
    }
  }
  return false;
}

/**
 * A disk whose power can be cut: ext4 on a loop device on a file whose octets a process of its own keeps. The file system,
 * its journal and its flushes are the kernel's; what the disk forgets is decided at the cut.
 */
export class PowerDisk {
  /** Where the file system is mounted. */
  readonly path: string;
  readonly cuts: Record<CutKind, number> = { dropped: 0, kept: 0, torn: 0, disordered: 0 };
  /** Writes that were not safe, over all cuts. */
  unsafe = 0;
  /** Cuts after which the file system had to be repaired before it could be mounted. */
  repairs = 0;
  flushes = 0;
  readonly #file: string;
  readonly #server: ChildProcess;
  readonly #random: () => number;

  static async open(folder: string, random: () => number): Promise<PowerDisk> {
    const [file, path] = [`${folder}/disk`, `${folder}/mounted`];
    mkdirSync(path, { recursive: true });
    writeFileSync(file, '');
    const program = fileURLToPath(new URL('fuse-file.ts', import.meta.url));
    const server = fork(program, [file, `${SIZE}`], { execArgv: ['--import=tsx'] });
    const disk = new PowerDisk(file, path, server, random);
    try {
      await disk.#answer();
      await run('mkfs.ext4', [...MKFS, file]);
      await disk.#mount();
      return disk;
    } catch (error) {
      await disk.close();
      throw error;
    }
  }

  private constructor(file: string, path: string, server: ChildProcess, random: () => number) {
    this.#file = file;
    this.path = path;
    this.#server = server;
    this.#random = random;
  }

  /** The power goes while the daemon runs, or starts, and comes back: the disk is mounted again. */
  async cut(daemon: Daemon): Promise<void> {
    // First the disk: from here on nothing becomes safe, so nothing that rests on it is acknowledged.
    await this.#order({ order: 'hold' });
    const dying = daemon.stop('SIGKILL');
    await this.#order({ order: 'deaf' });
    await dying;
    await this.#unmount();
    const kind = cutKinds[Math.floor(this.#random() * cutKinds.length)] ?? 'dropped';
    const { unsafe, flushes } = await this.#order({ order: 'cut', kind, seed: Math.floor(this.#random() * 1e9) });
    this.cuts[kind] += 1;
    this.unsafe += unsafe;
    this.flushes = flushes;
    await this.#mount();
  }

  async close(): Promise<void> {
    await this.#unmount().catch(() => undefined);
    spawnSync('umount', ['-l', this.#file], { stdio: 'ignore' });
    if (this.#server.exitCode !== null || this.#server.signalCode !== null) return;
    const ended = once(this.#server, 'exit');
    this.#server.kill('SIGKILL');
    await ended;
  }

  /** The loop device goes with the mount. */
  async #mount(): Promise<void> {
    const mount = () => run('mount', ['-t', 'ext4', '-o', 'loop', this.#file, this.path]);
    await mount().catch(async () => {
      this.repairs += 1;
      // Its exit code says what it repaired.
      await run('e2fsck', ['-f', '-y', this.#file]).catch(() => undefined);
      await mount();
    });
  }

  /** A process that was just killed may hold it for a moment. */
  async #unmount(): Promise<void> {
    for (let tries = 0; ; tries++) {
      try {
        await run('umount', [this.path]);
        return;
      } catch (error) {
        if (tries === 50) throw error;
        await wait(100);
      }
    }
  }

  #order(order: Order): Promise<Report> {
    const answer = this.#answer();
    this.#server.send(order);
    return answer;
  }

  async #answer(): Promise<Report> {
    const ended = new AbortController();
    const onExit = () => ended.abort(new Error('the disk has ended'));
    this.#server.once('exit', onExit);
    try {
      const [report] = await once(this.#server, 'message', { signal: ended.signal });
      return report;
    } finally {
      this.#server.off('exit', onExit);
    }
  }
}
