import { networkInterfaces, uptime } from 'node:os';
import { boardLines, type Line } from './gpio.ts';
import { GPSD_PORT, type Position, position } from './position.ts';
import { Router, ubusCall } from './router.ts';
import { type ProgramEnd, type RunOptions, runProgram } from './run-program.ts';
import { readSmallFile } from './small-file.ts';
import type { TimeZone } from './time-zone.ts';
import { routerTimeZone } from './time-zone.ts';
import { distrust } from './trusted-program.ts';
import { defaultRoute, type LinkType, linkType } from './uplink.ts';
import { broadcast, broadcastOf, magicPacket, WAKE_PORT } from './wake-on-lan.ts';

/** The way to the Internet. */
export interface Uplink {
  readonly device: string;
  readonly type: LinkType;
  /** IPv4 address of the device, or its global IPv6 address where it has no other. */
  readonly address?: string;
}

export interface SystemOptions {
  /** What stands in front of /proc, /sys and /etc; empty on a real system. */
  readonly root?: string;
  readonly networkInterfaces?: typeof networkInterfaces;
  /** Seconds since the system started. */
  readonly uptime?: () => number;
  readonly ubus?: string;
  readonly reboot?: string;
  /** Whether this process has the rights of root. */
  readonly isRoot?: boolean;
  /** TCP port of gpsd on this system. */
  readonly gpsdPort?: number;
  /** UDP port that magic packets go to. */
  readonly wakePort?: number;
}

/** Where boards keep their serial number: RutOS, the device tree, DMI. */
const serialFiles = [
  '/sys/mnf_info/serial',
  '/sys/firmware/devicetree/base/serial-number',
  '/sys/class/dmi/id/product_serial',
];

/** Boards that nobody gave a serial number have words or zeroes in its place, which anybody can guess. */
const isSerial = (text: string): boolean =>
  /^[A-Za-z0-9_-]{6,}$/.test(text) && /[1-9]/.test(text) && !/^(.)\1*$|^0?123456/.test(text);

/** The box that the gateway runs on. Every answer is read from the system when it is asked for. */
export class System {
  readonly #options: Required<SystemOptions>;

  constructor(options: SystemOptions = {}) {
    this.#options = {
      ...{ root: '', networkInterfaces, uptime, ubus: '/bin/ubus', reboot: '/sbin/reboot' },
      isRoot: process.getuid?.() === 0,
      ...{ gpsdPort: GPSD_PORT, wakePort: WAKE_PORT },
      ...options,
    };
  }

  /** Seconds since the system started. */
  uptime(): number {
    return this.#options.uptime();
  }

  /** Differs after each start of the system; empty where the kernel gives none. */
  async bootId(): Promise<string> {
    return (await this.#read('/proc/sys/kernel/random/boot_id')) ?? '';
  }

  async routerName(): Promise<string | undefined> {
    return this.#read('/proc/sys/kernel/hostname');
  }

  /** Name and version of the operating system: `OpenWrt 23.05.3`. */
  async firmware(): Promise<string | undefined> {
    const release = await this.#read('/etc/os-release');
    return /^PRETTY_NAME=(["']?)(.*)\1$/m.exec(release ?? '')?.[2];
  }

  timeZone(): Promise<TimeZone> {
    return routerTimeZone(this.#options.root);
  }

  async serial(): Promise<string | undefined> {
    for (const path of serialFiles) {
      const serial = await this.#read(path);
      if (serial !== undefined && isSerial(serial)) return serial;
    }
    return undefined;
  }

  /** Number of a group; undefined when no group has that name. */
  async groupId(name: string): Promise<number | undefined> {
    const lines = ((await this.#read('/etc/group')) ?? '').split('\n').map((line) => line.split(':'));
    const id = lines.find(([group]) => group === name)?.[2] ?? '';
    return /^[0-9]{1,10}$/.test(id) ? Number(id) : undefined;
  }

  rootPasswordHash(): Promise<string | undefined> {
    return this.passwordHash('root');
  }

  /** The second field of a user's line in /etc/shadow; undefined when it cannot be read, is empty or locked. */
  async passwordHash(user: string): Promise<string | undefined> {
    const lines = ((await this.#read('/etc/shadow')) ?? '').split('\n').map((line) => line.split(':'));
    const hash = lines.find(([name]) => name === user)?.[1];
    return hash === undefined || hash === '' || /^[!*]/.test(hash) ? undefined : hash;
  }

  /** Undefined while there is no default route. */
  async uplink(): Promise<Uplink | undefined> {
    const [ipv4, ipv6] = await Promise.all([this.#read('/proc/net/route'), this.#read('/proc/net/ipv6_route')]);
    const device = defaultRoute(ipv4 ?? '', ipv6 ?? '');
    if (device === undefined) return undefined;
    const type = linkType(device, (await this.#read(`/sys/class/net/${device}/uevent`)) ?? '');
    const address = this.#address(device);
    return { device, type, ...(address !== undefined && { address }) };
  }

  /** Restarts the system; it goes on for some seconds. Only root may by the program: others ask procd over ubus. */
  reboot(options: RunOptions): Promise<ProgramEnd> {
    if (this.#options.isRoot) return runProgram([this.#options.reboot], options);
    return this.ubus('system', 'reboot', '{}', options);
  }

  /** A call over the system's ubus. `args` is a JSON object. */
  ubus(object: string, method: string, args: string, options: RunOptions): Promise<ProgramEnd> {
    return ubusCall(this.#options.ubus, object, method, args, options);
  }

  /** The services of OpenWrt, each call with these limits. */
  router(options: Omit<RunOptions, 'maxOutput'>): Router {
    return new Router(this.#options.ubus, options);
  }

  /** Inputs and outputs of the board. Throws RouterError. */
  lines(router: Router): Promise<readonly Line[]> {
    return boardLines(this.#options.root, router);
  }

  /** Where the receiver of gpsd or ugps is. Throws RouterError when there is neither, or no fix. */
  position(router: Router, options: Omit<RunOptions, 'maxOutput'>): Promise<Position> {
    return position(router, this.#options.gpsdPort, options);
  }

  /**
   * Sends a magic packet into the network of a device; gives the broadcast address it went to, or undefined when the device
   * has no IPv4 address. Rejects when the kernel does not take it.
   */
  async wake(mac: string, device: string): Promise<string | undefined> {
    const address = broadcastOf(this.#options.networkInterfaces()[device] ?? []);
    if (address !== undefined) await broadcast(magicPacket(mac), address, this.#options.wakePort);
    return address;
  }

  /** Why a program must not be run: somebody else than root and the gateway's own user can change it. */
  distrust(program: string): Promise<string | undefined> {
    return distrust(program);
  }

  run(argv: readonly string[], options: RunOptions): Promise<ProgramEnd> {
    return runProgram(argv, options);
  }

  #address(device: string): string | undefined {
    const addresses = this.#options.networkInterfaces()[device] ?? [];
    const global = addresses.filter(({ address }) => !/^(fe80:|169\.254\.)/i.test(address));
    return (global.find(({ family }) => family === 'IPv4') ?? global[0])?.address;
  }

  #read(path: string): Promise<string | undefined> {
    return readSmallFile(this.#options.root + path);
  }
}
