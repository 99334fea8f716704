import { access, readdir, stat, statfs } from 'node:fs/promises';
import { join } from 'node:path';
import { systemClock } from '../../base/clock.ts';
import type { JsonObject } from '../../base/json.ts';
import type { Config, ModemConfig } from '../../config/config.ts';
import { loadConfig, PACKAGE } from '../../config/load-config.ts';
import { routerLacks } from '../../system/router.ts';
import { runProgram } from '../../system/run-program.ts';
import { holdersOf, missingPort, portFault, usbPorts } from '../../system/serial-ports.ts';
import { readSmallFile } from '../../system/small-file.ts';
import { routerTimeZone } from '../../system/time-zone.ts';
import { groupWarnings, programsOf } from '../commands/config.ts';
import { faultLines, table } from '../layout.ts';
import { type Finding, failed, modemMissing, ok, warning } from './finding.ts';

/** What can be seen from outside the daemon, whether it runs or not. `root` stands in front of all paths that are looked at. */
export interface Host {
  readonly root: string;
  /** Whether the daemon answers. */
  readonly runs: boolean;
}

/** The config, and what is wrong with it; without a config where it cannot be read. */
export async function configFindings(directory: string): Promise<{ config?: Config; found: readonly Finding[] }> {
  const file = join(directory, PACKAGE);
  const { config, errors, exposures, unreadable } = await loadConfig(directory, routerLacks);
  const faults = errors.map((error) => {
    const line = faultLines([{ ...error }]);
    if (error.severity === 'warning') return warning('config', line);
    const denied = /\bEACCES\b/.test(error.message);
    return failed('config', line, denied ? 'call this as root' : 'mend the line; docs/config.md has every option');
  });
  const exposed = (await exposures()).map(({ file, text }) => warning('config', text, `chmod 600 ${file}`));
  const groups = (await groupWarnings(config)).map((text) =>
    warning('config', text, 'make the group, then: smsgw reload; or correct the option'),
  );
  const all = [...faults, ...exposed, ...groups];
  return { ...(!unreadable && { config }), found: all.length === 0 ? [ok('config', `${file} is fine`)] : all };
}

/** Ports of the configured modems: whether they are there, and who else has them. */
export async function portFindings({ modems }: Pick<Config, 'modems'>, host: Host): Promise<readonly Finding[]> {
  const used = modems.filter(({ enabled }) => enabled);
  if (used.length === 0 && !host.runs) {
    return [modemMissing];
  }
  return (await Promise.all(used.map((modem) => portFinding(modem, host)))).flat();
}

/** Comm of the daemon, of which there may be one with the port open. */
const OWN = /^sms_gateway \(/;

async function portFinding({ section, device }: ModemConfig, { root, runs }: Host): Promise<readonly Finding[]> {
  const area = `port ${section}`;
  if (device !== 'auto' && !device.startsWith('/')) return [ok(area, `${device} is no port of this machine`)];
  const paths = device === 'auto' ? await usbPorts(`${root}/sys/class/tty`, '/dev') : [device];
  if (paths.length === 0) {
    const advice = 'plug the modem in; on OpenWrt install kmod-usb-serial-option and usb-modeswitch';
    return [failed(area, 'auto finds no USB serial port', advice)];
  }
  const found = await Promise.all(
    paths.map(async (path) => {
      const missing = await missingPort(path, root);
      if (missing !== undefined) return failed(area, missing);
      // The daemon may be another user, and says itself what it may not open.
      const denied = runs ? undefined : await portFault(path, root);
      if (denied !== undefined) return warning(area, denied);
      const others = (await holdersOf(path, root)).filter((holder) => !(runs && OWN.test(holder)));
      if (others.length === 0) return ok(area, `${path} is there`);
      return failed(area, `${path} is open in ${others.join(', ')}`, 'end that program, or give it another port');
    }),
  );
  // Of a modem with several ports one is enough.
  const free = found.filter(({ level }) => level === 'ok');
  return device === 'auto' && free.length > 0 ? free.slice(0, 1) : found;
}

/** ModemManager gives commands of its own to every modem that nobody keeps it from. */
export async function managerFindings({ root }: Host): Promise<readonly Finding[]> {
  const area = 'ModemManager';
  const pids = (await readdir(`${root}/proc`).catch(() => [])).filter((name) => /^[0-9]+$/.test(name));
  const names = await Promise.all(pids.map((pid) => readSmallFile(`${root}/proc/${pid}/comm`)));
  if (!names.includes('ModemManager')) return [ok(area, 'does not run')];
  const rules = ['/usr/lib/udev/rules.d/60-sms-gateway.rules', '/etc/udev/rules.d/60-sms-gateway.rules'];
  const isKeptOff = (await Promise.all(rules.map((rule) => isThere(root + rule)))).includes(true);
  if (isKeptOff) return [ok(area, 'runs, and a rule of udev keeps it from serial ports of modems')];
  return [
    warning(area, 'runs, and may take the port', 'systemctl disable --now ModemManager, or ID_MM_PORT_IGNORE by udev'),
  ];
}

/** Free room below which the journal cannot be written again as a whole, octets. */
const LEAST_FREE = 8 * 1024 * 1024;
const OTHERS = 0o077;

export async function storageFindings(directory: string, { runs }: Host): Promise<readonly Finding[]> {
  const area = 'storage';
  try {
    const { mode } = await stat(directory);
    const { bavail, bsize, type } = await statfs(directory);
    const free = bavail * bsize;
    const text = `${directory}: ${Math.round(free / 1024 / 1024)} MiB free`;
    const found: Finding[] = [];
    if (free < LEAST_FREE) found.push(warning(area, text, 'make room, or move the store: docs/install.md'));
    if (type === TMPFS)
      found.push(warning(area, `${directory} lies in memory: a restart of the system loses all messages`));
    if ((mode & OTHERS) !== 0) {
      const octal = (mode & 0o777).toString(8).padStart(4, '0');
      found.push(
        warning(area, `${directory} has mode ${octal}: other users may look into it`, `chmod 700 ${directory}`),
      );
    }
    return found.length > 0 ? found : [ok(area, text)];
  } catch (error) {
    const code = error instanceof Error && 'code' in error ? String(error.code) : 'cannot be looked at';
    if (code !== 'ENOENT') return [warning(area, `${directory}: ${code}`, 'call this as root')];
    // The daemon makes it at its first start.
    return [runs ? failed(area, `there is no ${directory}`) : warning(area, `there is no ${directory} yet`)];
  }
}

/** statfs(2): TMPFS_MAGIC. */
const TMPFS = 0x01021994;

/** Before this the clock has not been set. */
const EARLIEST = Date.UTC(2026, 0, 1);

export async function clockFindings({ root }: Host): Promise<readonly Finding[]> {
  const now = new Date();
  if (now.getTime() < EARLIEST) {
    const advice = 'NTP: is the network up? Times of messages, schedules and validity go by this clock';
    return [failed('clock', `stands at ${now.toISOString()}, which is past`, advice)];
  }
  const zone = await routerTimeZone(root);
  const hours = zone.offset(now.getTime()) / 3_600_000;
  const text = `${now.toISOString()}, local time is ${hours >= 0 ? '+' : ''}${hours} h`;
  const folder = `${root}/run/systemd/timesync`;
  if ((await isThere(folder)) && !(await isThere(`${folder}/synchronized`))) {
    return [warning('clock', `${text}, not set by NTP since the start of the system`, 'timedatectl timesync-status')];
  }
  return [ok('clock', text)];
}

export async function ubusFindings({ root, runs }: Host): Promise<readonly Finding[]> {
  if (!(await isThere(`${root}/var/run/ubus/ubus.sock`))) return [ok('ubus', 'is not here: this is not OpenWrt')];
  const options = { clock: systemClock, signal: new AbortController().signal, deadline: 5_000, maxOutput: 4_096 };
  const { failure, output } = await runProgram(['/bin/ubus', 'list', 'sms_gateway'], options);
  if (failure !== undefined) return [failed('ubus', `does not answer: ${failure}`, 'service ubus status')];
  if (output.includes('sms_gateway')) return [ok('ubus', 'has the object sms_gateway')];
  if (!runs) return [ok('ubus', 'answers')];
  return [failed('ubus', 'does not know sms_gateway', 'was the gateway started with --ubus off? ls /usr/share/acl.d')];
}

const cgiPlaces = ['/www/cgi-bin/sms_send', '/usr/lib/sms-gateway/cgi-bin/sms_send'];
const pagePlace = '/www/luci-static/resources/view/sms_gateway';

/** Whether somebody serves the cgi-bin URLs and the pages. */
export async function webFindings(config: Config, status: JsonObject, { root }: Host): Promise<readonly Finding[]> {
  const isServing = table(status['doors'])['http'] !== undefined;
  const places = await Promise.all(cgiPlaces.map((path) => isThere(root + path)));
  const shim = cgiPlaces.find((_, i) => places[i]);
  const found: Finding[] = [];
  if (isServing) found.push(ok('web', 'the built-in web server serves pages and cgi-bin URLs'));
  else if (shim === undefined && config.post_get.enabled) {
    const advice = 'start it with --http HOST:PORT, or install the package, which brings the cgi-bin programs';
    found.push(warning('web', 'Post/Get is on, and nobody serves its URLs', advice));
  } else
    found.push(ok('web', shim === undefined ? 'no cgi-bin programs, and Post/Get is off' : `${shim} is installed`));
  if (isServing || !(await isThere(`${root}/www/luci-static`))) return found;
  if (await isThere(root + pagePlace)) return [...found, ok('pages', 'LuCI has them')];
  return [...found, warning('pages', 'LuCI is here, and the pages are not', 'install luci-app-sms-gateway')];
}

/** Programs that hooks, rules and modems run. */
export async function programFindings(config: Config): Promise<readonly Finding[]> {
  const programs = await programsOf(config);
  return programs.map(({ area, program, fault }) =>
    fault === undefined ? ok(area, `${program} may run`) : failed(area, fault),
  );
}

/** Who may use the socket. */
export async function socketFindings(path: string): Promise<readonly Finding[]> {
  const stats = await stat(path).catch(() => undefined);
  if (stats === undefined) return [];
  const mode = stats.mode & 0o777;
  const text = `${path} has mode ${mode.toString(8).padStart(4, '0')}`;
  const open = (mode & 0o007) !== 0;
  const advice = 'every user of this machine may send and read: option socket_mode of gateway';
  return [open ? warning('permissions', text, advice) : ok('permissions', text)];
}

const isThere = (path: string): Promise<boolean> =>
  access(path).then(
    () => true,
    () => false,
  );

/** Where a daemon that is not asked keeps its messages: the first of these directories that is there, else the first. */
export async function usualStore(first: string, ...others: readonly string[]): Promise<string> {
  for (const directory of [first, ...others]) if (await isThere(directory)) return directory;
  return first;
}
