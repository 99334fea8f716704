import { execFileSync, type SpawnSyncReturns, spawnSync } from 'node:child_process';
import {
  chmodSync,
  copyFileSync,
  existsSync,
  mkdirSync,
  readFileSync,
  rmSync,
  symlinkSync,
  writeFileSync,
} from 'node:fs';
import { dirname, join } from 'node:path';
import { buildSync } from 'esbuild';

const standIns = 'test/package/stand-ins';

/** What procd was asked for, by its name. */
export type Instance = ReadonlyMap<string, readonly string[]>;

/**
 * A router's root folder to chroot into: Debian's busybox as the shell and every tool, Node, and small stand-ins for
 * uci, rc.common with procd, and functions.sh. Packages are unpacked over it as opkg does.
 */
export class RouterRoot {
  readonly folder: string;

  constructor(folder: string) {
    this.folder = folder;
    for (const name of [
      'bin',
      'sbin',
      'usr/bin',
      'usr/sbin',
      'etc/rc.d',
      'etc/config',
      'tmp',
      'dev',
      'usr/lib/opkg/info',
    ]) {
      mkdirSync(this.path(name), { recursive: true });
    }
    mkdirSync(this.path('tmp/run'));
    symlinkSync('tmp', this.path('var'));
    for (const [program, to] of [
      [execFileSync('which', ['busybox'], { encoding: 'utf8' }).trim(), 'bin/busybox'],
      [process.execPath, 'usr/bin/node'],
    ] as const) {
      this.#copyProgram(program, to);
    }
    for (const [name, minor] of [
      ['null', '3'],
      ['urandom', '9'],
    ] as const) {
      execFileSync('mknod', ['-m', '666', this.path(`dev/${name}`), 'c', '1', minor]);
    }
    execFileSync('chroot', [folder, '/bin/busybox', '--install', '-s']);
    this.write('etc/passwd', 'root:x:0:0:root:/root:/bin/ash\n');
    this.write('etc/group', 'root:x:0:\ndialout:x:20:\n');
    this.write('lib/functions.sh', readFileSync(`${standIns}/functions.sh`, 'utf8'));
    this.write('etc/rc.common', readFileSync(`${standIns}/rc.common`, 'utf8'), 0o755);
    for (const name of ['usr/bin/logger', 'usr/bin/killall']) {
      rmSync(this.path(name), { force: true });
      this.write(name, `#!/bin/sh\necho "$*" >>/tmp/${name.split('/').at(-1)}.log\n`, 0o755);
    }
    // A router with one modem that waits for its port.
    this.write(
      'bin/ubus',
      `#!/bin/sh
echo "$*" >>/tmp/ubus.log
case "$*" in
*'modem list'*) echo '{"modems":[{"name":"modem0"}]}' ;;
*'modem status'*) echo '{"state":"opening"}' ;;
esac
`,
      0o755,
    );
    this.write('usr/bin/jsonfilter', '#!/bin/sh\nsed -n \'s/.*"\\(name\\|state\\)":"\\([^"]*\\)".*/\\2/p\'\n', 0o755);
    const uci = buildSync({
      entryPoints: [`${standIns}/uci.ts`],
      ...({ bundle: true, platform: 'node', format: 'esm', write: false, banner: { js: '#!/usr/bin/node' } } as const),
    });
    this.write('sbin/uci.mjs', uci.outputFiles[0]?.text ?? '', 0o755);
    symlinkSync('uci.mjs', this.path('sbin/uci'));
  }

  path(name: string): string {
    return join(this.folder, name);
  }

  write(name: string, text: string, mode = 0o644): void {
    mkdirSync(dirname(this.path(name)), { recursive: true });
    writeFileSync(this.path(name), text);
    chmodSync(this.path(name), mode);
  }

  read(name: string): string {
    return readFileSync(this.path(name), 'utf8');
  }

  /** Runs a line of busybox ash in it, as root, with no variables but these. */
  run(line: string, env: Readonly<Record<string, string>> = {}): SpawnSyncReturns<string> {
    const variables = Object.entries({ PATH: '/usr/sbin:/usr/bin:/sbin:/bin', ...env }).map((pair) => pair.join('='));
    const command = ['/usr/bin/env', '-i', ...variables, '/bin/busybox', 'ash', '-c', line];
    return spawnSync('chroot', [this.folder, ...command], { encoding: 'utf8', timeout: 120_000 });
  }

  /** The same; throws where it fails or writes to stderr. */
  sh(line: string, env: Readonly<Record<string, string>> = {}): string {
    const { status, stdout, stderr } = this.run(line, env);
    if (status !== 0 || stderr !== '') throw new Error(`${line}: ${status}\n${stderr}${stdout}`);
    return stdout;
  }

  /** As opkg: stops what was there, unpacks, keeps edited conffiles, runs the scripts. */
  install(ipk: string): void {
    const info = this.path('usr/lib/opkg/info');
    const scratch = this.path('tmp/unpack');
    const upgrade = existsSync(`${info}/sms-gateway.prerm`);
    if (upgrade) this.sh('/usr/lib/opkg/info/sms-gateway.prerm upgrade', { PKG_UPGRADE: '1' });
    mkdirSync(scratch, { recursive: true });
    execFileSync('tar', ['-xzf', ipk, '-C', scratch]);
    const edited = upgrade ? this.read('etc/config/sms_gateway') : undefined;
    execFileSync('tar', [
      '-xzf',
      `${scratch}/data.tar.gz`,
      '-C',
      this.folder,
      ...(upgrade ? ['--exclude=./etc/config'] : []),
    ]);
    if (edited !== undefined && edited !== this.read('etc/config/sms_gateway'))
      throw new Error('the config was replaced');
    const list = execFileSync('tar', ['-tzf', `${scratch}/data.tar.gz`], { encoding: 'utf8' });
    this.write('usr/lib/opkg/info/sms-gateway.list', list.replace(/^\./gm, '').replace(/^.*\/\n/gm, ''));
    execFileSync('tar', ['-xzf', `${scratch}/control.tar.gz`, '-C', scratch]);
    for (const name of ['control', 'postinst', 'postinst-pkg', 'prerm']) {
      copyFileSync(`${scratch}/${name}`, `${info}/sms-gateway.${name}`);
    }
    rmSync(scratch, { recursive: true });
    this.sh('/usr/lib/opkg/info/sms-gateway.postinst configure', upgrade ? { PKG_UPGRADE: '1' } : {});
  }

  remove(): void {
    this.sh('/usr/lib/opkg/info/sms-gateway.prerm remove');
  }

  /** What the init script asked of procd; undefined while the service is not running. */
  get instance(): Instance | undefined {
    if (!existsSync(this.path('tmp/procd/sms_gateway'))) return undefined;
    const params = new Map<string, string[]>();
    for (const line of this.read('tmp/procd/sms_gateway').trimEnd().split('\n')) {
      const at = line.indexOf(' ');
      params.set(line.slice(0, at), [...(params.get(line.slice(0, at)) ?? []), line.slice(at + 1)]);
    }
    return params;
  }

  #copyProgram(from: string, to: string): void {
    copyFileSync(from, this.path(to));
    chmodSync(this.path(to), 0o755);
    const libraries = execFileSync('ldd', [from], { encoding: 'utf8' }).match(/\/\S+/g) ?? [];
    for (const library of libraries.filter((path) => existsSync(path))) {
      mkdirSync(dirname(this.path(library)), { recursive: true });
      copyFileSync(library, this.path(library));
      chmodSync(this.path(library), 0o755);
    }
  }
}
