import { existsSync, mkdirSync, readFileSync, writeFileSync } from 'node:fs';
import type { NetworkInterfaceInfo } from 'node:os';
import { dirname, join } from 'node:path';
import t, { type Test } from 'tap';
import { systemClock } from '../../src/base/clock.ts';
import { runProgram } from '../../src/system/run-program.ts';
import { System } from '../../src/system/system.ts';
import { defaultRoute, linkType } from '../../src/system/uplink.ts';
import { testFolder } from '../support/folder.ts';
import { until } from '../support/outbox-rig.ts';

/** A system with these files. */
function systemWith(t: Test, files: Readonly<Record<string, string>>, networks: Record<string, string[]> = {}): System {
  const root = testFolder(t);
  for (const [path, text] of Object.entries(files)) {
    mkdirSync(join(root, dirname(path)), { recursive: true });
    writeFileSync(join(root, path), text);
  }
  const info = (address: string): NetworkInterfaceInfo => ({
    ...{ address, netmask: '', mac: '', internal: false, cidr: null },
    ...(address.includes(':') ? { family: 'IPv6', scopeid: 0 } : { family: 'IPv4' }),
  });
  const interfaces = Object.fromEntries(Object.entries(networks).map(([name, list]) => [name, list.map(info)]));
  return new System({ root, networkInterfaces: () => interfaces });
}

const header = 'Iface\tDestination\tGateway \tFlags\tRefCnt\tUse\tMetric\tMask\t\tMTU\tWindow\tIRTT\n';
const lan = 'br-lan\t0001A8C0\t00000000\t0001\t0\t0\t0\t00FFFFFF\t0\t0\t0\n';
const route = (device: string, metric: number, flags = '0003') =>
  `${device}\t00000000\t0100000A\t${flags}\t0\t0\t${metric}\t00000000\t0\t0\t0\n`;
const zeroes = '0'.repeat(32);
const route6 = (device: string, metric: string, flags = '00000003') =>
  `${zeroes} 00 ${zeroes} 00 fe800000000000000000000000000001 ${metric} 00000001 00000000 ${flags}     ${device}\n`;

t.test('the default route', (t) => {
  const cases: readonly (readonly [string, string, string, string | undefined])[] = [
    ['none', header + lan, '', undefined],
    ['no files', '', '', undefined],
    ['one', header + lan + route('wwan0', 2), '', 'wwan0'],
    ['the least metric', header + route('wwan0', 20) + route('eth0.2', 10), '', 'eth0.2'],
    ['one that is down', header + route('eth0', 1, '0002') + route('wwan0', 2), '', 'wwan0'],
    ['one that rejects', header + route('*', 1, '0201') + route('wwan0', 2), '', 'wwan0'],
    ['IPv4 goes first', header + route('wwan0', 900), route6('eth0', '00000001'), 'wwan0'],
    ['IPv6 only', header + lan, route6('eth1', '00000400') + route6('eth0', '00000200'), 'eth0'],
    ['the one that rejects all', '', route6('lo', 'ffffffff', '00200200'), undefined],
    ['junk', 'x y\n\n00000000\n', '\u0000\n', undefined],
  ];
  for (const [what, ipv4, ipv6, device] of cases) t.equal(defaultRoute(ipv4, ipv6), device, what);
  t.end();
});

t.test('what carries a device', (t) => {
  const cases: readonly (readonly [string, string, string])[] = [
    ['wwan0', 'DEVTYPE=wwan\nINTERFACE=wwan0\n', 'mobile'],
    ['eth2', 'DEVTYPE=wwan\n', 'mobile'],
    ['3g-wan', 'DEVTYPE=ppp\n', 'mobile'],
    ['pppoe-wan', 'DEVTYPE=ppp\n', 'wired'],
    ['qmimux0', '', 'mobile'],
    ['sta1', 'DEVTYPE=wlan\n', 'WiFi'],
    ['phy0-sta0', '', 'WiFi'],
    ['wg0', 'DEVTYPE=wireguard\n', 'VPN'],
    ['tun0', '', 'VPN'],
    ['eth0.2', 'DEVTYPE=vlan\n', 'wired'],
    ['wan', '', 'wired'],
  ];
  for (const [device, uevent, type] of cases) t.equal(linkType(device, uevent), type, device);
  t.end();
});

t.test('facts', async (t) => {
  const uplink = (networks: Record<string, string[]>) =>
    systemWith(
      t,
      { '/proc/net/route': header + route('wwan0', 1), '/sys/class/net/wwan0/uevent': 'DEVTYPE=wwan\n' },
      networks,
    ).uplink();
  t.strictSame(await uplink({ wwan0: ['fe80::1', '2001:db8::1', '10.64.0.2'], lo: ['127.0.0.1'] }), {
    ...{ device: 'wwan0', type: 'mobile', address: '10.64.0.2' },
  });
  t.match(await uplink({ wwan0: ['fe80::1', '2001:db8::1'] }), { address: '2001:db8::1' });
  t.strictSame(await uplink({}), { device: 'wwan0', type: 'mobile' });

  const read = (files: Record<string, string>) => systemWith(t, files);
  t.equal(await read({ '/proc/sys/kernel/hostname': 'RUT240\n' }).routerName(), 'RUT240');
  const release = 'NAME="OpenWrt"\nPRETTY_NAME="OpenWrt 23.05.3"\nVERSION=x\n';
  t.equal(await read({ '/etc/os-release': release }).firmware(), 'OpenWrt 23.05.3');
  t.equal(await read({ '/etc/os-release': 'PRETTY_NAME=Alpine\n' }).firmware(), 'Alpine');

  const tree = '/sys/firmware/devicetree/base/serial-number';
  t.equal(await read({ [tree]: '1102345678\u0000' }).serial(), '1102345678');
  t.equal(await read({ [tree]: 'abcdef1', '/sys/mnf_info/serial': '6000123456\n' }).serial(), '6000123456');
  t.equal(await read({ [tree]: '00000000', '/sys/class/dmi/id/product_serial': 'VMware-56 4d\n' }).serial(), undefined);
  for (const junk of ['None', '0', '0123456789', '1234567890', '11111111', 'Default string', 'unknown', '']) {
    t.equal(await read({ [tree]: junk }).serial(), undefined, `${JSON.stringify(junk)} is no serial number`);
  }

  const shadow = (line: string) => read({ '/etc/shadow': `${line}\nroots:other:1\n` }).rootPasswordHash();
  t.equal(await shadow('root:$1$salt$hash:19000:0:99999:7:::'), '$1$salt$hash');
  t.equal(await shadow('toor:$1$salt$hash:19000'), undefined);
  for (const none of ['root::19000', 'root:*:19000', 'root:!:19000', 'root:!$1$salt$hash:1', 'root', '']) {
    t.equal(await shadow(none), undefined, none);
  }

  const bare = read({});
  t.strictSame(
    await Promise.all([bare.routerName(), bare.firmware(), bare.serial(), bare.rootPasswordHash(), bare.uplink()]),
    [undefined, undefined, undefined, undefined, undefined],
    'a system that tells nothing',
  );
});

t.test('the real system tells its name', async (t) => {
  const system = new System();
  t.type(await system.routerName(), 'string');
  t.ok(system.uptime() > 0);
  await t.resolves(system.uplink());
});

t.test('programs', async (t) => {
  const run = (script: string, more: Partial<Parameters<typeof runProgram>[1]> = {}) =>
    runProgram(['/bin/sh', '-c', script], {
      ...{ clock: systemClock, signal: new AbortController().signal, deadline: 20_000, maxOutput: 100 },
      ...more,
    });
  t.strictSame(await run('echo a; echo b >&2; exit 7'), { code: 7, output: 'a\nb\n' });
  t.strictSame(await run('cat'), { code: 0, output: '' }, 'stdin is empty');
  t.strictSame(await run('yes | head -c 300000'), { code: 0, output: 'y\n'.repeat(50) }, 'what is too much is dropped');
  t.strictSame(await run('kill -9 $$'), { failure: 'killed', output: '' });
  process.env['SMS_GATEWAY_TEST'] = 'of the daemon';
  const { output: environment } = await run('env', { maxOutput: 10_000 });
  delete process.env['SMS_GATEWAY_TEST'];
  t.match(environment, /^PATH=\/usr\/sbin:/m);
  t.notMatch(environment, /of the daemon/);
  t.match(await run('sleep 1000', { deadline: 50 }), { failure: 'killed after 0.05 s' });
  t.match(await run('echo a', { signal: AbortSignal.abort() }), { failure: 'stopped before it began', output: '' });
  t.match(await runProgram(['/nowhere/to/be/found'], { ...options(), deadline: 1_000 }), { failure: /ENOENT/ });
  t.match(await runProgram(['/etc/passwd'], options()), { failure: /EACCES/ });
  t.match(await runProgram(['/bin/sh', 'a\0b'], options()), { failure: /null bytes/ });
  t.match(await runProgram([], options()), { failure: /./ });

  const stop = new AbortController();
  const directory = testFolder(t);
  const running = run(`echo $$ >${directory}/pid; sleep 1000`, { signal: stop.signal });
  await until(
    () => existsSync(`${directory}/pid`) && readFileSync(`${directory}/pid`, 'utf8').endsWith('\n'),
    'it runs',
  );
  stop.abort();
  t.match(await running, { failure: 'stopped before it ended' });

  const left = await run(`sleep 1000 & echo $! >${directory}/left; echo started`);
  t.strictSame(left, { code: 0, output: 'started\n' }, 'a child that was left behind does not hold it up');
  const pid = Number(readFileSync(`${directory}/left`, 'utf8'));
  t.ok(process.kill(pid, 0), 'and lives on');
  process.kill(pid, 'SIGKILL');
});

const options = () => ({
  ...{ clock: systemClock, signal: new AbortController().signal, deadline: 20_000, maxOutput: 100 },
});
