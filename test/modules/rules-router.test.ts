import { createSocket } from 'node:dgram';
import { once } from 'node:events';
import { existsSync, mkdirSync, readFileSync, writeFileSync } from 'node:fs';
import { type AddressInfo, createServer } from 'node:net';
import t, { type Test } from 'tap';
import { uciRequest } from '../../src/modules/rules/access-actions.ts';
import { System, type SystemOptions } from '../../src/system/system.ts';
import { testFolder } from '../support/folder.ts';
import { ModuleRig } from '../support/module-rig.ts';
import { until } from '../support/outbox-rig.ts';
import { type RouterState, ScriptedUbus } from '../support/scripted-ubus.ts';

const ALICE = '+37060000001';
const PASSWORD = 'Geheim7';

type Options = Readonly<Record<string, string | readonly string[]>>;
const common: Options = { enabled: '1', max_per_hour: '1000' };

function configOf(...rules: readonly Options[]): string {
  const sections = rules.map((options, index) => {
    const lines = Object.entries({ ...common, ...options }).flatMap(([option, value]) =>
      typeof value === 'string' ? [`option ${option} '${value}'`] : value.map((item) => `list ${option} '${item}'`),
    );
    return `config rule 'r${index}'\n${lines.map((line) => `\t${line}\n`).join('')}`;
  });
  return `config gateway 'gateway'\n\toption admin_password '${PASSWORD}'\n${sections.join('\n')}`;
}

/** A gateway on a scripted router. */
async function routerWith(t: Test, state: RouterState, rules: readonly Options[], system: SystemOptions = {}) {
  const base = testFolder(t);
  mkdirSync(`${base}/state`);
  const router = new ScriptedUbus(base, state);
  const options = { root: base, ubus: `${base}/ubus`, uptime: () => 86_400, gpsdPort: 1, ...system };
  const rig = await ModuleRig.open(base, { config: configOf(...rules), system: new System(options) });
  t.teardown(() => rig.close());
  /** Sends a rule its text and gives the answer. Timers of these lengths, ms, pass at once. */
  const ask = async (text: string, ...timers: readonly number[]): Promise<string | undefined> => {
    const before = (await rig.outbox()).length;
    await rig.receive(ALICE, `${PASSWORD} ${text}`);
    await until(async () => {
      const running = timers.find((ms) => rig.clock.waits(ms));
      if (running !== undefined) await rig.clock.advance(running);
      return (await rig.outbox()).length > before;
    }, `${text} is answered`);
    return (await rig.outbox()).at(-1)?.text;
  };
  return { base, router, rig, ask };
}

t.test('WiFi', async (t) => {
  const state = (): RouterState => ({
    radios: { radio0: { up: true, pending: false }, radio1: { up: true, pending: false } },
    config: {
      wireless: {
        radio0: { '.type': 'wifi-device', channel: '1' },
        radio1: { '.type': 'wifi-device', disabled: '0' },
        default_radio0: { '.type': 'wifi-iface', ssid: 'Home' },
      },
    },
  });
  const rule = (value: string, write: string) => ({
    action: 'wifi',
    smstext: `wifi${value}`,
    value,
    write_wifi: write,
  });

  t.test('written to the config', async (t) => {
    const { router, ask } = await routerWith(t, state(), [rule('off', '1'), rule('on', '1')]);
    t.equal(await ask('wifioff'), 'WiFi: radio0 down, radio1 down, kept over restarts');
    t.match(router.state.config?.['wireless'], { radio0: { disabled: '1', channel: '1' }, radio1: { disabled: '1' } });
    t.notOk('disabled' in (router.state.config?.['wireless']?.['default_radio0'] ?? {}), 'only the radios');
    t.strictSame(router.changes.slice(-2), ['uci commit {"config":"wireless"}', 'network reload {}']);
    t.equal(await ask('wifion'), 'WiFi: radio0 up, radio1 up, kept over restarts');
    t.match(router.state.config?.['wireless'], { radio0: { disabled: '0' }, radio1: { disabled: '0' } });
  });
  t.test('for now only', async (t) => {
    const { router, ask } = await routerWith(t, state(), [rule('off', '0'), rule('on', '0')]);
    t.equal(await ask('wifioff'), 'WiFi: radio0 down, radio1 down, until the next restart');
    t.equal(await ask('wifion'), 'WiFi: radio0 up, radio1 up, until the next restart');
    t.strictSame(router.changes, ['network.wireless down {}', 'network.wireless up {}']);
  });
  t.test('radios that do not obey', async (t) => {
    const { rig, ask } = await routerWith(t, { ...state(), stuck: true }, [rule('off', '0')]);
    const answer = await ask('wifioff', 1_000, 2_000, 4_000, 8_000);
    t.equal(answer, 'WiFi: radio0 up, radio1 up, until the next restart. This is not what the rule asks for.');
    t.match(rig.modules.status('rules').counters, { executed: 0, failed: 1 });
  });
  t.test('a config that cannot be changed is left as it was', async (t) => {
    const refused: RouterState = { ...state(), refuse: { 'uci commit': 6 } };
    const { router, ask } = await routerWith(t, refused, [rule('off', '1')]);
    t.equal(await ask('wifioff'), 'ubus uci commit: permission denied, see /usr/share/acl.d');
    t.strictSame(router.state.staged, {}, 'nothing is left staged for the next commit');
    t.strictSame(router.state.config, state().config);
  });
  t.test('no radio', async (t) => {
    const { router, ask } = await routerWith(t, {}, [rule('off', '1')]);
    t.equal(await ask('wifioff'), 'WiFi: not on this router');
    t.strictSame(router.changes, []);
  });
  t.test('a crash in the middle does not repeat it', async (t) => {
    const hanging: RouterState = { ...state(), hang: ['network.wireless down'] };
    const { rig, router } = await routerWith(t, hanging, [rule('off', '0')]);
    await rig.receive(ALICE, `${PASSWORD} wifioff`);
    await until(() => router.changes.length === 1, 'it is under way');
    const after = await rig.crash();
    t.teardown(() => after.close());
    await after.receive(ALICE, 'nothing for rules');
    await after.handled('rules');
    t.equal(router.changes.length, 1);
  });
});

t.test('mobile data', async (t) => {
  const state = (): RouterState => ({
    interfaces: [
      { interface: 'lan', proto: 'static', up: true },
      { interface: 'wwan', proto: 'qmi', up: true },
      { interface: 'modem2', proto: 'modemmanager', up: true },
    ],
    config: { network: { lan: { '.type': 'interface' }, wwan: { '.type': 'interface', proto: 'qmi' } } },
  });
  const rule = (value: string, more: Options = {}) => ({ action: 'mobile', smstext: `mobile${value}`, value, ...more });

  t.test('all mobile interfaces', async (t) => {
    const { router, ask } = await routerWith(t, state(), [rule('off'), rule('on')]);
    t.equal(await ask('mobileoff'), 'mobile data: wwan down, modem2 down, until the next restart');
    t.strictSame(router.changes, ['network.interface.wwan down {}', 'network.interface.modem2 down {}']);
    t.equal(await ask('mobileon'), 'mobile data: wwan up, modem2 up, until the next restart');
  });
  t.test('one, written to the config', async (t) => {
    const { router, ask } = await routerWith(t, state(), [rule('off', { write_mobile: '1', interface: 'wwan' })]);
    t.equal(await ask('mobileoff'), 'mobile data: wwan down, kept over restarts');
    t.strictSame(router.state.config?.['network'], {
      lan: { '.type': 'interface' },
      wwan: { '.type': 'interface', proto: 'qmi', auto: '0' },
    });
    t.match(router.state.interfaces, [{ up: true }, { up: false }, { up: true }]);
  });
  t.test('one that is not there', async (t) => {
    const { router, ask } = await routerWith(t, state(), [rule('off', { interface: 'wan9' })]);
    t.equal(await ask('mobileoff'), 'there is no interface wan9');
    t.strictSame(router.changes, []);
  });
});

t.test('VPN', async (t) => {
  const state = (): RouterState => ({
    interfaces: [
      { interface: 'wan', proto: 'dhcp', up: true },
      { interface: 'wg0', proto: 'wireguard', up: false, pending: true },
    ],
    services: {
      openvpn: { enabled: false, running: true },
      zerotier: { enabled: false, running: false },
      dropbear: { enabled: true, running: true },
    },
  });
  const rule = (action: string, smstext: string, more: Options = {}) => ({ action, smstext, ...more });

  t.test('status', async (t) => {
    const named = rule('vpnstatus', 'one', { interface: 'wg0', authorisation: 'password' });
    const { ask } = await routerWith(t, state(), [rule('vpnstatus', 'vpnstatus', { reply: '0' }), named]);
    t.equal(await ask('vpnstatus'), 'VPN: wg0 coming up, openvpn up');
    t.equal(await ask('one'), 'VPN: wg0 coming up');
  });
  t.test('all that are set up', async (t) => {
    const { router, ask } = await routerWith(t, { ...state(), interfaces: [] }, [
      rule('vpn', 'vpnoff', { value: 'off' }),
    ]);
    t.equal(await ask('vpnoff'), 'VPN: openvpn down');
    t.strictSame(router.changes, ['rc init {"name":"openvpn","action":"stop"}']);
  });
  t.test('a named service', async (t) => {
    const { router, ask } = await routerWith(t, state(), [rule('vpn', 'on', { value: 'on', service: 'zerotier' })]);
    t.equal(await ask('on'), 'VPN: zerotier up');
    t.strictSame(router.changes, ['rc init {"name":"zerotier","action":"start"}']);
  });
  t.test('a service that is not installed', async (t) => {
    const { ask } = await routerWith(t, state(), [rule('vpn', 'on', { value: 'on', service: 'ipsec' })]);
    t.equal(await ask('on'), 'ubus rc list: there is no such object or entry');
  });
  t.test('none', async (t) => {
    const { ask } = await routerWith(t, {}, [rule('vpnstatus', 'vpn')]);
    t.equal(await ask('vpn'), 'VPN: not on this router');
  });
});

const firewall = { '@zone[1]': { '.type': 'zone', name: 'wan' } };

t.test('SSH access', async (t) => {
  const state = (): RouterState => ({
    services: { dropbear: { enabled: true, running: true } },
    config: { dropbear: { main: { '.type': 'dropbear', Port: '2222' } }, firewall },
  });
  const rule = (smstext: string, enabled: string, remote: string) => ({
    ...{ action: 'ssh_access', smstext, ssh_access_enabled: enabled, ssh_access_remote: remote },
  });
  const { router, ask } = await routerWith(t, state(), [
    rule('all', '1', '1'),
    rule('lan', '1', '0'),
    rule('no', '0', '1'),
  ]);
  t.equal(await ask('lan'), 'SSH: on, from wan off');
  t.equal(router.state.config?.['firewall']?.['sms_gateway_ssh'], undefined, 'no rule that nobody needs');
  t.equal(await ask('all'), 'SSH: on, from wan on');
  t.match(router.state.config?.['firewall']?.['sms_gateway_ssh'], {
    ...{ '.type': 'rule', src: 'wan', proto: 'tcp', dest_port: '2222', target: 'ACCEPT', enabled: '1' },
  });
  t.equal(await ask('no'), 'SSH: off, from wan off', 'a port that nobody listens on is not opened');
  t.match(router.state.config, {
    dropbear: { main: { enable: '0' } },
    firewall: { sms_gateway_ssh: { enabled: '0' } },
  });

  const zoneless = await routerWith(t, { ...state(), config: { ...state().config, firewall: {} } }, [
    rule('all', '1', '1'),
  ]);
  t.equal(await zoneless.ask('all'), 'the firewall has no zone wan');
  t.strictSame(zoneless.router.changes, [], 'nothing is half done');
});

t.test('web access', async (t) => {
  const listen = ['192.168.1.1:8080'];
  const state: RouterState = {
    services: { uhttpd: { enabled: true, running: true } },
    config: { uhttpd: { main: { '.type': 'uhttpd', listen_http: listen } }, firewall },
  };
  const rule = (smstext: string, ...[http, https, remote, remotes]: readonly string[]) => ({
    ...{ action: 'web_access', smstext, web_access_enabled: http ?? '', web_access_enabled_https: https ?? '' },
    ...{ web_access_http: remote ?? '', web_access_https: remotes ?? '' },
  });
  const rules = [rule('none', '0', '0', '1', '1'), rule('http', '1', '0', '1', '1'), rule('all', '1', '1', '0', '1')];
  const { router, ask } = await routerWith(t, state, rules);
  const main = () => router.state.config?.['uhttpd']?.['main'];
  t.equal(await ask('none'), 'HTTP off, from wan off; HTTPS off, from wan off');
  t.strictSame(main(), { '.type': 'uhttpd', sms_gateway_listen_http: listen });
  t.equal(await ask('http'), 'HTTP on, from wan on; HTTPS off, from wan off');
  t.match(main(), { listen_http: listen }, 'it listens where it did before');
  t.match(router.state.config?.['firewall']?.['sms_gateway_http'], { dest_port: '8080', enabled: '1' });
  t.equal(await ask('all'), 'HTTP on, from wan off; HTTPS on, from wan on');
  t.match(main(), { listen_http: listen, listen_https: ['0.0.0.0:443', '[::]:443'] });
  t.match(router.state.config?.['firewall'], {
    sms_gateway_http: { enabled: '0' },
    sms_gateway_https: { dest_port: '443', enabled: '1' },
  });
});

t.test('uci', async (t) => {
  const state: RouterState = {
    config: {
      network: { lan: { '.type': 'interface', ipaddr: '192.168.1.1', dns: ['1.1.1.1', '9.9.9.9'] } },
      wireless: { wifinet0: { '.type': 'wifi-iface', ssid: 'Home', key: 'secret' } },
    },
  };
  const list = ['network.lan.*', 'wireless.*.ssid'];
  const { rig, router, ask } = await routerWith(t, state, [{ action: 'uci', smstext: 'uci', uci_option: list }]);
  const usage = 'write: get config.section.option, or: set config.section.option=value';
  const cases: readonly (readonly [string, string])[] = [
    ['uci get network.lan.ipaddr', 'network.lan.ipaddr=192.168.1.1'],
    ['UCI Get network.lan.dns', 'network.lan.dns=1.1.1.1 9.9.9.9'],
    ['uci get network.lan.gateway', 'network.lan.gateway is not set'],
    ['uci get network.lan.constructor', 'network.lan.constructor is not set'],
    ['uci get network.wan.ipaddr', 'network.wan.ipaddr is not among the options that this rule may use'],
    ['uci get wireless.wifinet0.key', 'wireless.wifinet0.key is not among the options that this rule may use'],
    ['uci get wireless.wifinet9.ssid', 'there is no section wireless.wifinet9'],
    ['uci set wireless.wifinet0.ssid=My $(reboot) "Home"', 'wireless.wifinet0.ssid=My $(reboot) "Home"'],
    ["uci set network.lan.ipaddr='10.0.0.1'", 'network.lan.ipaddr=10.0.0.1'],
    ['uci set network.lan.dns=8.8.8.8', 'network.lan.dns is a list, and only single options can be set'],
    ['uci', usage],
    ['uci show', usage],
    ['uci set network.lan.ipaddr=', usage],
  ];
  for (const [text, answer] of cases) t.equal(await ask(text), answer, text);
  t.strictSame(
    router.changes.filter((call) => call.startsWith('uci set')),
    [
      'uci set {"config":"wireless","section":"wifinet0","values":{"ssid":"My $(reboot) \\"Home\\""}}',
      'uci set {"config":"network","section":"lan","values":{"ipaddr":"10.0.0.1"}}',
    ],
  );
  t.notMatch(
    rig.log.filter((line) => !line.startsWith('debug')).join('\n'),
    /10\.0\.0\.1|192\.168/,
    'no values in the log',
  );
});

t.test('what a uci rule is asked for', (t) => {
  const any = ['network.*.*'];
  const cases: readonly (readonly [string, unknown])[] = [
    ['get network.lan.proto', { config: 'network', section: 'lan', option: 'proto' }],
    ['set network.lan.proto dhcp', { config: 'network', section: 'lan', option: 'proto', value: 'dhcp' }],
    ['set network.lan.proto = "a b"', { config: 'network', section: 'lan', option: 'proto', value: 'a b' }],
    ['set network.lan.proto=a=b', { config: 'network', section: 'lan', option: 'proto', value: 'a=b' }],
  ];
  for (const [text, request] of cases) t.strictSame(uciRequest(text, any), request, text);
  const wrong = [
    ...[
      'get network.lan',
      'get network.lan.proto x',
      'delete network.lan.proto',
      'get firewall.lan.proto',
      'get *.*.*',
    ],
    ...['set network.lan.proto=a\nb', 'set network.lan.proto=a\u0000', `set network.lan.proto=${'x'.repeat(257)}`],
    ...['get network.../etc.passwd', 'set network.lan.pr-oto=1', ''],
  ];
  for (const text of wrong) t.match(uciRequest(text, any), { wrong: String }, JSON.stringify(text));
  t.match(uciRequest('get network.lan.proto', []), { wrong: /not among/ });
  t.end();
});

t.test('inputs and outputs', async (t) => {
  const rules = [
    { action: 'iostatus', smstext: 'iostatus' },
    { action: 'dout', smstext: 'on', value: 'on', outputnb: 'DOUT1' },
    { action: 'dout', smstext: 'off', value: 'off', outputnb: 'DOUT1' },
    { action: 'dout', smstext: 'pulse', value: 'on', outputnb: 'DOUT1', timeout: '1', seconds: '30' },
    { action: 'dout', smstext: 'input', value: 'on', outputnb: 'DIN1' },
  ];
  /** Lines as the kernel exports them. */
  const board = (base: string) => {
    const line = (name: string) => `${base}/sys/class/gpio/${name}`;
    for (const [name, direction] of [
      ['dout1', 'out'],
      ['din1', 'in'],
    ] as const) {
      mkdirSync(line(name), { recursive: true });
      writeFileSync(`${line(name)}/value`, '0\n');
      writeFileSync(`${line(name)}/direction`, `${direction}\n`);
    }
    mkdirSync(line('gpiochip0'));
    return () => readFileSync(`${line('dout1')}/value`, 'utf8')[0];
  };

  t.test('of the kernel', async (t) => {
    const { base, rig, ask } = await routerWith(t, {}, rules);
    const value = board(base);
    t.equal(await ask('iostatus'), 'din1 off, dout1 off');
    t.equal(await ask('on'), 'dout1 on');
    t.equal(value(), '1');
    t.equal(await ask('iostatus'), 'din1 off, dout1 on');
    t.equal(await ask('off'), 'dout1 off');
    t.equal(value(), '0');
    t.equal(await ask('input'), 'this board has no output DIN1');

    t.equal(await ask('pulse'), 'dout1 on for 30 s');
    await rig.clock.advance(29_000);
    t.equal(value(), '1');
    await rig.clock.advance(1_000);
    await until(() => value() === '0', 'it is switched back');

    t.equal(await ask('pulse'), 'dout1 on for 30 s');
    t.equal(await ask('on'), 'dout1 on', 'from now on it stays on');
    await rig.clock.advance(60_000);
    t.equal(value(), '1');
    t.equal(await ask('pulse'), 'dout1 on for 30 s');
    await rig.close();
    t.equal(value(), '0', 'who stops switches back first');
  });
  t.test('of ioman', async (t) => {
    const ioman = {
      'ioman.gpio.dout1': { value: '0', direction: 'out' },
      'ioman.gpio.din1': { value: '1', direction: 'in' },
      'ioman.relay.relay0': { state: 'open' },
    };
    const relay = { action: 'dout', smstext: 'relay', value: 'on', outputnb: 'relay0' };
    const { router, ask } = await routerWith(t, { ioman }, [...rules, relay]);
    t.equal(await ask('iostatus'), 'dout1 off, din1 on, relay0 off');
    t.equal(await ask('on'), 'dout1 on');
    t.equal(await ask('relay'), 'relay0 on');
    t.strictSame(router.changes, [
      'ioman.gpio.dout1 update {"value":"1"}',
      'ioman.relay.relay0 update {"state":"closed"}',
    ]);
  });
  t.test('an output whose switch is refused is switched back too', async (t) => {
    const state: RouterState = {
      ioman: { 'ioman.gpio.dout1': { value: '0', direction: 'out' } },
      hang: ['ioman.gpio.dout1 update'],
    };
    const { rig, router } = await routerWith(t, state, rules);
    await rig.receive(ALICE, `${PASSWORD} pulse`);
    await until(() => router.changes.length === 1, 'it is under way');
    await rig.clock.advance(15_000);
    await until(async () => (await rig.outbox()).length === 1, 'it is answered');
    t.equal((await rig.outbox())[0]?.text, 'ubus ioman.gpio.dout1 update: killed after 15 s');
    router.state = { ...router.state, hang: [] };
    await rig.clock.advance(30_000);
    await until(() => router.changes.length === 2, 'it is switched back');
    t.equal(router.changes.at(-1), 'ioman.gpio.dout1 update {"value":"0"}');
  });
  t.test('a board without any', async (t) => {
    const { ask } = await routerWith(t, {}, rules);
    t.equal(await ask('iostatus'), 'this board shows no inputs or outputs');
    t.equal(await ask('on'), 'this board has no output DOUT1');
  });
});

t.test('wake on LAN', async (t) => {
  const socket = createSocket('udp4');
  t.teardown(() => socket.close());
  socket.bind(0, '127.0.0.1');
  await once(socket, 'listening');
  const address = { address: '127.0.0.1', netmask: '255.255.255.255', mac: '', internal: false, cidr: null };
  const system: SystemOptions = {
    wakePort: socket.address().port,
    networkInterfaces: () => ({ 'br-lan': [{ ...address, family: 'IPv4' }] }),
  };
  const state: RouterState = { interfaces: [{ interface: 'lan', proto: 'static', up: true, l3_device: 'br-lan' }] };
  const mac = '00:11:22:Aa:bb-CC';
  const rules = [
    { action: 'wol', smstext: 'wake', mac },
    { action: 'wol', smstext: 'dmz', mac, interface: 'dmz' },
  ];
  const { ask } = await routerWith(t, state, rules, system);
  const packet = once(socket, 'message');
  t.equal(await ask('wake'), `the wake-up packet for ${mac} was sent to 127.0.0.1 on br-lan`);
  const [octets] = await packet;
  t.equal(octets.toString('hex'), 'ff'.repeat(6) + '001122aabbcc'.repeat(16));
  t.equal(await ask('dmz'), 'dmz has no IPv4 address, so that nothing can be woken up there');
});

t.test('position', async (t) => {
  const rules = [{ action: 'gps_coordinates', smstext: 'gps' }];
  const place = '54.687200,25.279700\nhttps://www.openstreetmap.org/?mlat=54.687200&mlon=25.279700';
  t.test('of ugps', async (t) => {
    const { ask, rig } = await routerWith(t, { gps: { age: 0, latitude: '54.6872', longitude: '25.2797' } }, rules);
    t.equal(await ask('gps'), place);
    t.notMatch(rig.log.filter((line) => !line.startsWith('debug')).join('\n'), /54\.68/, 'not in the log');
  });
  /** A gpsd that writes these lines once it is asked to. */
  const gpsd = async (t: Test, ...reports: readonly unknown[]) => {
    const server = createServer((socket) => {
      socket.on('error', () => undefined);
      socket.write('{"class":"VERSION","release":"3.25"}\n');
      socket.on('data', (chunk) => {
        if (/^\?WATCH=.*"enable":true/.test(String(chunk)))
          for (const each of reports) socket.write(`${JSON.stringify(each)}\n`);
      });
    });
    server.listen(0, '127.0.0.1');
    await once(server, 'listening');
    t.teardown(() => server.close());
    return { gpsdPort: (server.address() as AddressInfo).port };
  };
  t.test('of gpsd', async (t) => {
    const early = { class: 'TPV', mode: 1, lat: 1, lon: 1 };
    const system = await gpsd(t, { class: 'SKY' }, early, { class: 'TPV', mode: 3, lat: 54.6872, lon: 25.2797 });
    const { ask } = await routerWith(t, { gps: { signal: false } }, rules, system);
    t.equal(await ask('gps'), place);
  });
  t.test('no fix', async (t) => {
    const { ask } = await routerWith(t, {}, rules, await gpsd(t, { class: 'TPV', mode: 1 }));
    t.equal(await ask('gps', 30_000), 'no position: gpsd reports no fix within 30 s');
  });
  t.test('no receiver', async (t) => {
    const { ask } = await routerWith(t, {}, rules);
    t.match(await ask('gps'), /^no position: neither ugps nor gpsd answers/);
  });
  t.test('the receiver switched on', async (t) => {
    const state: RouterState = { services: { ugps: { enabled: true, running: false } } };
    const { ask } = await routerWith(t, state, [{ action: 'gps', smstext: 'gps_on', value: 'on' }]);
    t.equal(await ask('gps_on'), 'GPS: ugps up');
  });
});

t.test('a system without ubus says so', async (t) => {
  const { base, ask } = await routerWith(t, {}, [{ action: 'wifi', smstext: 'wifioff', value: 'off' }], {
    ubus: '/nowhere/ubus',
  });
  t.equal(await ask('wifioff'), 'ubus network.wireless status: this system has no ubus');
  t.notOk(existsSync(`${base}/calls`));
});

t.test('a wrong password changes nothing', async (t) => {
  const state: RouterState = { radios: { radio0: { up: true, pending: false } } };
  const { router, rig } = await routerWith(t, state, [{ action: 'wifi', smstext: 'wifioff', value: 'off' }]);
  await rig.receive(ALICE, 'wrong wifioff');
  await rig.handled('rules');
  t.strictSame(router.changes, []);
  t.strictSame(await rig.outbox(), []);
});
