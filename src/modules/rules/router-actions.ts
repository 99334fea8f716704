import { describeError } from '../../base/errors.ts';
import type { OwnAction } from '../../config/schema/rule.ts';
import type { Line } from '../../system/gpio.ts';
import { type Router, RouterError, type UciSectionValues, uciFlag } from '../../system/router.ts';
import { sshAccess, uci, webAccess } from './access-actions.ts';
import {
  type Action,
  type Execution,
  failure,
  limits,
  onOff,
  outcome,
  type Result,
  type RulesContext,
  routerOf,
  settled,
} from './execution.ts';

/** How long a GPS receiver may take for a fix, ms. */
const FIX_MS = 30_000;
/** Limit of each call that switches an output back, ms: the rules have little time to stop. */
const SWITCH_BACK_MS = 2_000;

/** Protocols of netifd whose link is the mobile network, and those that are VPNs. */
const mobileProtocols = /^(3g|qmi|mbim|ncm|wwan|directip|modemmanager|rmnet|xmm|fm350|quectel|atc)$/;
const vpnProtocols = /^(wireguard|amneziawg|openvpn|openconnect|pptp|l2tp|vpnc|sstp|nebula|zerotier)$/;
/** Scripts in /etc/init.d that are VPNs, and those that read a GPS receiver. */
const vpnServices: readonly string[] = ['openvpn', 'ipsec', 'swanctl', 'strongswan', 'xl2tpd', 'zerotier', 'tailscale'];
const gpsServices: readonly string[] = ['gpsd', 'ugps'];

/** Something that is on, off, or on its way. */
interface Switch {
  readonly name: string;
  readonly on: boolean;
  readonly pending: boolean;
  /** Whether it starts with the system. */
  readonly enabled: boolean;
  /** Absent where one call switches all of them. */
  set?(on: boolean): Promise<void>;
}

const states = (switches: readonly Switch[]): string =>
  switches.map(({ name, on, pending }) => `${name} ${on ? 'up' : pending ? 'coming up' : 'down'}`).join(', ');

async function interfaces(router: Router, named: string | undefined, protocols: RegExp): Promise<readonly Switch[]> {
  const all = await router.interfaces();
  const found = all.filter(({ name, protocol }) => (named === undefined ? protocols.test(protocol) : name === named));
  if (named !== undefined && found.length === 0) throw new RouterError(`there is no interface ${named}`);
  return found.map(({ name, up, pending }) => ({
    ...{ name, on: up, pending, enabled: true },
    set: (on) => router.switchInterface(name, on),
  }));
}

/** The named service; without a name those of the candidates that are installed. */
async function services(
  router: Router,
  named: string | undefined,
  candidates: readonly string[],
): Promise<readonly Switch[]> {
  const names = named === undefined ? await installed(router, candidates) : [named];
  const found = await Promise.all(names.map((name) => router.service(name)));
  if (named !== undefined && found[0] === undefined) throw new RouterError(`there is no service ${named}`);
  return found.flatMap((service) =>
    service === undefined
      ? []
      : [
          {
            ...{ name: service.name, on: service.running, pending: false, enabled: service.enabled },
            set: (on) => router.switchService(service.name, on),
          },
        ],
  );
}

/** A system without rpcd has no list of services. */
async function installed(router: Router, candidates: readonly string[]): Promise<readonly string[]> {
  try {
    const all = await router.services();
    return candidates.filter((name) => all.includes(name));
  } catch (error) {
    if (error instanceof RouterError) return [];
    throw error;
  }
}

/** The VPNs that the rule may mean: its interface, its service, or all. */
async function vpns(router: Router, { interface: name, service }: Execution['rule']): Promise<readonly Switch[]> {
  const links = service === undefined || name !== undefined ? await interfaces(router, name, vpnProtocols) : [];
  if (name !== undefined && service === undefined) return links;
  return [...links, ...(await services(router, service, vpnServices))];
}

/** A service that is only installed is no VPN that somebody has set up; one that the rule names is meant in any case. */
const isSetUp =
  ({ service }: Execution['rule']) =>
  ({ enabled, on }: Switch): boolean =>
    service !== undefined || enabled || on;

interface Plan {
  /** All that may be meant, as they are now. */
  readonly find: () => Promise<readonly Switch[]>;
  /** Those of them that are. */
  readonly isMeant?: (found: Switch) => boolean;
  /** Done before they are switched one by one. */
  readonly prepare?: () => Promise<void>;
  /** What the answer ends with. */
  readonly note?: () => Promise<string>;
}

/** Switches what is meant and says what it is afterwards. */
async function switchAll(
  context: RulesContext,
  execution: Execution,
  what: string,
  { find, isMeant = () => true, prepare, note }: Plan,
): Promise<Result> {
  const on = execution.rule.value === 'on';
  const found = (await find()).filter(isMeant);
  if (found.length === 0) return failure(`${what}: not on this router`);
  await execution.commit();
  await prepare?.();
  for (const each of found) await each.set?.(on);
  const again = async () => (await find()).filter(({ name }) => found.some((each) => each.name === name));
  const now = await settled(context, execution, again, (all) => all.every((each) => each.on === on && !each.pending));
  const reached = now.length === found.length && now.every((each) => each.on === on);
  return outcome(reached, `${what}: ${states(now)}${(await note?.()) ?? ''}`);
}

const untilRestart = async () => ', until the next restart';

/** Sets an option of some sections to a flag, and says whether it is so. */
function written(
  router: Router,
  config: string,
  option: string,
  value: boolean,
  pick: (s: UciSectionValues) => boolean,
) {
  const sections = async () => (await router.sections(config)).filter(pick);
  return {
    async prepare() {
      const values = { [option]: value ? '1' : '0' };
      await router.change(
        config,
        (await sections()).map(({ name: section }) => ({ method: 'set', section, values })),
      );
    },
    async note() {
      const all = await sections();
      const kept = all.length > 0 && all.every(({ options }) => uciFlag(options[option], !value) === value);
      return kept ? ', kept over restarts' : untilRestart();
    },
  };
}

async function wifi(context: RulesContext, execution: Execution): Promise<Result> {
  const { value, write_wifi: write } = execution.rule;
  const on = value === 'on';
  const router = routerOf(context, execution);
  const find = async () =>
    (await router.radios()).map(({ name, up, pending }) => ({ name, on: up, pending, enabled: on }));
  const config = written(router, 'wireless', 'disabled', !on, ({ type }) => type === 'wifi-device');
  const forGood = {
    async prepare() {
      await config.prepare();
      // netifd reads the wireless config together with that of the network.
      await router.call('network', 'reload');
    },
    note: config.note,
  };
  const forNow = { prepare: () => router.switchRadios(on), note: untilRestart };
  return switchAll(context, execution, 'WiFi', { find, ...(write ? forGood : forNow) });
}

async function mobile(context: RulesContext, execution: Execution): Promise<Result> {
  const { rule } = execution;
  const router = routerOf(context, execution);
  const find = () => interfaces(router, rule.interface, mobileProtocols);
  const names = (await find()).map(({ name }) => name);
  const isOne = ({ type, name }: UciSectionValues) => type === 'interface' && names.includes(name);
  const forGood = written(router, 'network', 'auto', rule.value === 'on', isOne);
  const prepare = rule.write_mobile ? forGood.prepare : undefined;
  const note = rule.write_mobile ? forGood.note : untilRestart;
  return switchAll(context, execution, 'mobile data', { find, note, ...(prepare && { prepare }) });
}

async function vpn(context: RulesContext, execution: Execution): Promise<Result> {
  const { rule } = execution;
  const router = routerOf(context, execution);
  return switchAll(context, execution, 'VPN', { find: () => vpns(router, rule), isMeant: isSetUp(rule) });
}

async function vpnstatus(context: RulesContext, execution: Execution): Promise<Result> {
  const { rule } = execution;
  const found = (await vpns(routerOf(context, execution), rule)).filter(isSetUp(rule));
  return outcome(true, found.length === 0 ? 'VPN: not on this router' : `VPN: ${states(found)}`);
}

async function gps(context: RulesContext, execution: Execution): Promise<Result> {
  const router = routerOf(context, execution);
  return switchAll(context, execution, 'GPS', { find: () => services(router, execution.rule.service, gpsServices) });
}

const lineStates = (lines: readonly Line[]): string => lines.map(({ name, on }) => `${name} ${onOff(on)}`).join(', ');

async function iostatus(context: RulesContext, execution: Execution): Promise<Result> {
  const lines = await context.system.lines(routerOf(context, execution));
  if (lines.length === 0) return failure('this board shows no inputs or outputs');
  return outcome(true, lineStates(lines));
}

async function dout(context: RulesContext, execution: Execution): Promise<Result> {
  const { system } = context;
  const { rule, signal, commit, pulses } = execution;
  const on = rule.value === 'on';
  const wanted = rule.outputnb?.toLowerCase();
  const find = async (router: Router) =>
    (await system.lines(router)).find(({ name, output }) => output && name.toLowerCase() === wanted);
  const router = routerOf(context, execution);
  const line = await find(router);
  if (line === undefined) return failure(`this board has no output ${rule.outputnb}`);
  const seconds = rule.timeout ? (rule.seconds ?? 0) : 0;
  await commit();
  await pulses.cancel(line.name);
  try {
    await line.switch(on);
  } finally {
    // Also after an error: the output may have been switched.
    if (seconds > 0) pulses.start(line.name, seconds * 1000, () => switchBack(context, line.name, find, !on));
    if (signal.aborted) await pulses.stop();
  }
  const now = await find(router);
  const answer = `${line.name} ${onOff(now?.on === true)}${seconds > 0 ? ` for ${seconds} s` : ''}`;
  return outcome(now?.on === on, answer);
}

/** By calls of its own: when the gateway stops, the signal of the rules has aborted. */
async function switchBack(
  context: RulesContext,
  output: string,
  find: (router: Router) => Promise<Line | undefined>,
  on: boolean,
): Promise<void> {
  const router = context.system.router(limits(context, new AbortController().signal, SWITCH_BACK_MS));
  await (await find(router))?.switch(on);
  context.log.info(`output ${output} is ${onOff(on)} again`);
}

async function wol(context: RulesContext, execution: Execution): Promise<Result> {
  const { mac = '', interface: name = 'lan' } = execution.rule;
  const router = routerOf(context, execution);
  const all = await router.interfaces().catch((error: unknown) => {
    // A system without netifd: the name is that of the device itself.
    if (error instanceof RouterError) return [];
    throw error;
  });
  const device = all.find((each) => each.name === name)?.device ?? name;
  await execution.commit();
  try {
    const address = await context.system.wake(mac, device);
    if (address === undefined) return failure(`${name} has no IPv4 address, so that nothing can be woken up there`);
    return outcome(true, `the wake-up packet for ${mac} was sent to ${address} on ${device}`);
  } catch (error) {
    return failure(`the wake-up packet for ${mac} could not be sent: ${describeError(error)}`);
  }
}

async function gpsCoordinates(context: RulesContext, execution: Execution): Promise<Result> {
  const found = await context.system.position(routerOf(context, execution), limits(context, execution.signal, FIX_MS));
  const [latitude, longitude] = [found.latitude.toFixed(6), found.longitude.toFixed(6)];
  const map = `https://www.openstreetmap.org/?mlat=${latitude}&mlon=${longitude}`;
  return { summary: 'position sent', answer: `${latitude},${longitude}\n${map}` };
}

/** Actions that OpenWrt carries out, asked over ubus. They throw RouterError with a sentence for whoever asked. */
export const routerActions = {
  ...{ wifi, mobile, vpn, vpnstatus, gps, uci, iostatus, dout, wol },
  ssh_access: sshAccess,
  web_access: webAccess,
  gps_coordinates: gpsCoordinates,
} as const satisfies Partial<Record<OwnAction, Action>>;
