import {
  arrayOf,
  ownOption,
  type Router,
  RouterError,
  type UciChange,
  type UciSectionValues,
  uciFlag,
} from '../../system/router.ts';
import {
  type Execution,
  failure,
  onOff,
  outcome,
  type Result,
  type RulesContext,
  routerOf,
  settled,
} from './execution.ts';

/** A rule of the firewall that is the gateway's own, named so. */
const wanRule = (what: string): string => `sms_gateway_${what.toLowerCase()}`;

function isOpen(firewall: readonly UciSectionValues[], what: string): boolean {
  const rule = firewall.find(({ name }) => name === wanRule(what));
  return rule !== undefined && uciFlag(rule.options['enabled'], true);
}

/** What makes the firewall let a service in from wan, or not any longer. Throws RouterError when there is no such zone. */
function wanChanges(
  firewall: readonly UciSectionValues[],
  what: string,
  ports: readonly string[],
  open: boolean,
): readonly UciChange[] {
  const name = wanRule(what);
  const exists = firewall.some((section) => section.name === name);
  if (!open) return exists ? [{ method: 'set', section: name, values: { enabled: '0' } }] : [];
  if (!firewall.some(({ type, options }) => type === 'zone' && options['name'] === 'wan')) {
    throw new RouterError('the firewall has no zone wan');
  }
  const values = {
    name: `${what} by SMS`,
    src: 'wan',
    proto: 'tcp',
    target: 'ACCEPT',
    enabled: '1',
    dest_port: ports.join(' '),
  };
  return [exists ? { method: 'set', section: name, values } : { method: 'add', type: 'rule', name, values }];
}

/** Whether the service runs; undefined where rpcd cannot say. */
const runs = async (router: Router, service: string) => (await router.service(service))?.running;

export async function sshAccess(context: RulesContext, execution: Execution): Promise<Result> {
  const { ssh_access_enabled: enabled, ssh_access_remote: remote } = execution.rule;
  const router = routerOf(context, execution);
  const servers = await router.sections('dropbear', 'dropbear');
  if (servers.length === 0) return failure('SSH: dropbear has no section');
  const ports = [...new Set(servers.map(({ options }) => String(options['Port'] ?? '22')))];
  const firewall = wanChanges(await router.sections('firewall'), 'SSH', ports, enabled && remote);
  await execution.commit();
  const values = { enable: enabled ? '1' : '0' };
  await router.change(
    'dropbear',
    servers.map(({ name: section }) => ({ method: 'set', section, values })),
  );
  if (firewall.length > 0) await router.change('firewall', firewall);
  const running = await settled(
    context,
    execution,
    () => runs(router, 'dropbear'),
    (now) => now === enabled,
  );
  const open = isOpen(await router.sections('firewall'), 'SSH');
  return outcome(
    running === enabled && open === (enabled && remote),
    `SSH: ${onOff(running === true)}, from wan ${onOff(open)}`,
  );
}

/** What the pages are served by: its option of uhttpd, and what that is on a fresh system. */
const webDoors = [
  { what: 'HTTP', option: 'listen_http', usual: ['0.0.0.0:80', '[::]:80'] },
  { what: 'HTTPS', option: 'listen_https', usual: ['0.0.0.0:443', '[::]:443'] },
] as const;

const listOf = (value: UciSectionValues['options'][string]): readonly string[] =>
  typeof value === 'string' ? value.split(/\s+/).filter((part) => part !== '') : arrayOf(value).map(String);

export async function webAccess(context: RulesContext, execution: Execution): Promise<Result> {
  const { rule } = execution;
  const wanted = {
    HTTP: { on: rule.web_access_enabled, remote: rule.web_access_enabled && rule.web_access_http },
    HTTPS: { on: rule.web_access_enabled_https, remote: rule.web_access_enabled_https && rule.web_access_https },
  };
  const router = routerOf(context, execution);
  const server = async () => {
    const all = await router.sections('uhttpd', 'uhttpd');
    return all.find(({ name }) => name === 'main') ?? all[0];
  };
  const main = await server();
  if (main === undefined) return failure('web: uhttpd has no section');
  const firewall = await router.sections('firewall');
  const plans = webDoors.map(({ what, option, usual }) => {
    const section = main.name;
    // Where it listened while it was on; uhttpd does not look at options that it does not know.
    const kept = `sms_gateway_${option}`;
    const now = listOf(main.options[option]);
    const before = listOf(main.options[kept]);
    const listen = now.length > 0 ? now : before.length > 0 ? before : usual;
    const ports = [...new Set(listen.map((address) => address.slice(address.lastIndexOf(':') + 1)))];
    const { on, remote } = wanted[what];
    const changes: readonly UciChange[] =
      on === now.length > 0
        ? []
        : on
          ? [{ method: 'set', section, values: { [option]: listen } }]
          : [
              { method: 'set', section, values: { [kept]: now } },
              { method: 'delete', section, option },
            ];
    return { changes, firewall: wanChanges(firewall, what, ports, remote) };
  });
  await execution.commit();
  const changes = plans.flatMap((plan) => plan.changes);
  if (changes.length > 0) await router.change('uhttpd', changes);
  const openings = plans.flatMap((plan) => plan.firewall);
  if (openings.length > 0) await router.change('firewall', openings);
  const any = wanted.HTTP.on || wanted.HTTPS.on;
  const running = await settled(
    context,
    execution,
    () => runs(router, 'uhttpd'),
    (now) => now === any,
  );
  const [after, rules] = [await server(), await router.sections('firewall')];
  const doors = webDoors.map(({ what, option }) => {
    const on = running === true && listOf(after?.options[option]).length > 0;
    const open = isOpen(rules, what);
    const reached = on === wanted[what].on && open === wanted[what].remote;
    return { reached, text: `${what} ${onOff(on)}, from wan ${onOff(open)}` };
  });
  return outcome(
    doors.every(({ reached }) => reached),
    doors.map(({ text }) => text).join('; '),
  );
}

export async function uci(context: RulesContext, execution: Execution): Promise<Result> {
  const request = uciRequest(execution.args, execution.rule.uci_option);
  if ('wrong' in request) return failure(request.wrong);
  const { config, section, option, value } = request;
  const name = `${config}.${section}.${option}`;
  const router = routerOf(context, execution);
  const found = (await router.sections(config)).find((each) => each.name === section);
  if (found === undefined) return failure(`there is no section ${config}.${section}`);
  if (value !== undefined) {
    if (Array.isArray(ownOption(found, option)))
      return failure(`${name} is a list, and only single options can be set`);
    await execution.commit();
    await router.change(config, [{ method: 'set', section, values: { [option]: value } }]);
  }
  const now = await router.option(config, section, option);
  const shown =
    now === undefined
      ? `${name} is not set`
      : `${name}=${listOf(now).length > 1 && Array.isArray(now) ? now.join(' ') : now}`;
  const reached = value === undefined || now === value;
  return { ...outcome(reached, shown), summary: `${value === undefined ? 'showed' : 'set'} ${name}` };
}

interface UciRequest {
  readonly config: string;
  readonly section: string;
  readonly option: string;
  /** What to set it to; absent when it is only asked for. */
  readonly value?: string;
}

const USAGE = 'write: get config.section.option, or: set config.section.option=value';
const REQUEST = /^(get|set)\s+([A-Za-z0-9_-]+)\.([A-Za-z0-9_]+)\.([A-Za-z0-9_]+)(?:\s*=\s*|\s+|$)([\s\S]*)$/i;
/** Characters. */
const MAX_VALUE = 256;

/** What the words behind the rule's text ask for, or what is wrong with them. Only options of the list are allowed. */
export function uciRequest(args: string, allowed: readonly string[]): UciRequest | { readonly wrong: string } {
  const [, verb, config, section, option, rest = ''] = REQUEST.exec(args.trim()) ?? [];
  if (verb === undefined || config === undefined || section === undefined || option === undefined)
    return { wrong: USAGE };
  const names = [config, section, option];
  const fits = (pattern: string) => pattern.split('.').every((part, index) => part === '*' || part === names[index]);
  if (!allowed.some(fits)) return { wrong: `${names.join('.')} is not among the options that this rule may use` };
  const request = { config, section, option };
  if (verb.toLowerCase() === 'get') return rest === '' ? request : { wrong: USAGE };
  const value = /^(["'])([\s\S]*)\1$/.exec(rest)?.[2] ?? rest;
  if (value === '') return { wrong: USAGE };
  // biome-ignore lint/suspicious/noControlCharactersInRegex: a value of UCI has one line here
  if (/[\u0000-\u001f\u007f]/.test(value)) return { wrong: 'the value must be one line without control characters' };
  if ([...value].length > MAX_VALUE) return { wrong: `the value must have at most ${MAX_VALUE} characters` };
  return { ...request, value };
}
