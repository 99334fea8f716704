import { type ChildProcess, execFile, execFileSync, spawn } from 'node:child_process';
import { once } from 'node:events';
import { chmodSync, mkdirSync, readFileSync, writeFileSync } from 'node:fs';
import { promisify } from 'node:util';
import { runInNewContext } from 'node:vm';
import t, { type Test } from 'tap';
import { newToken } from '../../src/access/tokens.ts';
import { Daemon } from '../support/daemon.ts';
import { newFolder } from '../support/folder.ts';
import { freePort } from '../support/free-port.ts';
import { until } from '../support/outbox-rig.ts';
import { missingPrograms } from '../support/programs.ts';
import { Receiver } from '../support/web-receiver.ts';

/* The recipes of docs/integrations.md, taken from the page, and run by the programs they are for. */

const run = promisify(execFile);
const token = newToken();
const config = `
config modem 'sim0'
	option device 'sim'
	option send_interval '0'

config token
	option name 'tool'
	option hash '${token.hash}'
	list scope 'send'
	list scope 'read'

config group
	option name 'oncall'
	list tel '+37060000001'
`;

/** The code blocks of a part of a page, without their fences. */
function blocks(page: string, heading: string, language: string): readonly string[] {
  const [, part = ''] = readFileSync(`docs/${page}.md`, 'utf8').split(`\n## ${heading}\n`);
  const [own = ''] = part.split('\n## ');
  return [...own.matchAll(/^```(\w*)\n(.*?)^```$/gms)]
    .filter(([, of]) => of === language)
    .map(([, , code = '']) => code);
}

function block(page: string, heading: string, language: string): string {
  const [first] = blocks(page, heading, language);
  if (first === undefined) throw new Error(`docs/${page}.md has no ${language} under ${heading}`);
  return first;
}

async function start(t: Test, more = ''): Promise<Daemon> {
  const daemon = new Daemon({ folder: newFolder(t), config: config + more });
  t.teardown(() => daemon.stop('SIGKILL'));
  await daemon.start();
  return daemon;
}

/** A recipe for this daemon in place of `gateway`. */
const forDaemon = (daemon: Daemon, recipe: string) =>
  recipe.replaceAll('https://gateway:8080', daemon.http).replaceAll(/TOKEN|smsgw_…/g, token.token);

/** What the modem has sent, once it is so many. */
async function sent(daemon: Daemon, count: number): Promise<readonly (readonly [to: unknown, text: unknown])[]> {
  const result = await daemon.until(
    'sms_gateway.simulator',
    'sent',
    {},
    ({ messages }) => Array.isArray(messages) && messages.length >= count,
  );
  return (result['messages'] as { to: string; text: string }[]).map(({ to, text }) => [to, text]);
}

/** A folder for PATH with `smsgw`, which speaks to this daemon. */
function withSmsgw(daemon: Daemon): NodeJS.ProcessEnv {
  const bin = `${daemon.folder}/bin`;
  mkdirSync(bin, { recursive: true });
  const args = `--socket ${daemon.socket} "$@"`;
  writeFileSync(`${bin}/smsgw`, `#!/bin/sh\nexec ${process.execPath} ${process.cwd()}/dist/smsgw.js ${args}\n`);
  chmodSync(`${bin}/smsgw`, 0o755);
  return { ...process.env, PATH: `${bin}:${process.env['PATH']}` };
}

/** Debian's own Python: the packages of the recipes are for it. */
const python = '/usr/bin/python3';
function missingModules(modules: string, packages: string): string | false {
  if (process.env['CI'] === 'true') return false;
  try {
    execFileSync(python, ['-c', `import ${modules}`], { stdio: 'ignore' });
    return false;
  } catch {
    return `no ${modules} in ${python}: apt-get install ${packages}`;
  }
}

const programs = ['prometheus', 'promtool', 'prometheus-alertmanager'];
const noPrometheus = missingPrograms(programs, 'prometheus prometheus-alertmanager');

/** A server that runs until the test ends; resolves once `url` answers. */
async function serve(t: Test, url: string, program: string, ...args: readonly string[]): Promise<ChildProcess> {
  const child = spawn(program, args, { stdio: ['ignore', 'ignore', 'pipe'] });
  let log = '';
  child.stderr.setEncoding('utf8').on('data', (chunk: string) => {
    log = (log + chunk).slice(-10_000);
  });
  const ended = once(child, 'exit');
  t.teardown(async () => {
    child.kill('SIGKILL');
    await ended;
  });
  await until(async () => {
    if (child.exitCode !== null) throw new Error(`${program} ended:\n${log}`);
    return fetch(url).then(
      ({ ok }) => ok,
      () => false,
    );
  }, `${program} answers`);
  return child;
}

t.test('Prometheus scrapes, its alert goes by Alertmanager, and is one SMS', { skip: noPrometheus }, async (t) => {
  const daemon = await start(t);
  const { folder } = daemon;
  const [alerts, prometheus] = [await freePort(), await freePort()];
  writeFileSync(`${folder}/sms-token`, `${token.token}\n`);
  const receivers = forDaemon(daemon, block('api', 'Alerts of Grafana and Alertmanager', 'yaml'));
  t.match(receivers, '/etc/alertmanager/sms-token');
  writeFileSync(
    `${folder}/alertmanager.yml`,
    `route: { receiver: sms, group_wait: 1s, group_by: [job] }\n${receivers.replace('/etc/alertmanager', folder)}`,
  );
  execFileSync('amtool', ['check-config', `${folder}/alertmanager.yml`]);
  const rules = ['one', 'two'].map(
    (name) =>
      `{ alert: ${name}, expr: 'sms_gateway_modem_ready == 1', annotations: { summary: 'the modem {{ $labels.modem }} is ready' } }`,
  );
  writeFileSync(`${folder}/rules.yml`, `groups: [{ name: sms, interval: 1s, rules: [${rules.join(', ')}] }]\n`);
  const scraping = block('integrations', 'Prometheus', 'yaml');
  writeFileSync(
    `${folder}/prometheus.yml`,
    `global: { scrape_interval: 1s }
rule_files: [rules.yml]
alerting: { alertmanagers: [{ static_configs: [{ targets: ['127.0.0.1:${alerts}'] }] }] }
${scraping.replace('gateway:8080', new URL(daemon.http).host)}`,
  );
  execFileSync('promtool', ['check', 'config', `${folder}/prometheus.yml`]);
  await serve(
    t,
    `http://127.0.0.1:${alerts}/-/ready`,
    'prometheus-alertmanager',
    ...[`--config.file=${folder}/alertmanager.yml`, `--storage.path=${folder}/alertmanager`],
    ...[`--web.listen-address=127.0.0.1:${alerts}`, '--cluster.listen-address='],
  );
  await serve(
    t,
    `http://127.0.0.1:${prometheus}/-/ready`,
    'prometheus',
    ...[`--config.file=${folder}/prometheus.yml`, `--storage.tsdb.path=${folder}/prometheus`],
    `--web.listen-address=127.0.0.1:${prometheus}`,
  );
  const line = /FIRING: (?:one|two) \S+: the modem sim0 is ready/.source;
  t.match(await sent(daemon, 1), [['+37060000001', new RegExp(`^${line}\n${line}$`)]], 'both alerts in one');
});

t.test('the line for the textfile collector', { skip: missingPrograms(['promtool'], 'prometheus') }, async (t) => {
  const daemon = await start(t);
  const [, line = ''] = /^ {4}(?:\* ){5}(.*)$/m.exec(readFileSync('docs/integrations.md', 'utf8')) ?? [];
  t.match(line, /^smsgw metrics/);
  const here = line.replaceAll('/var/lib/prometheus/node-exporter', daemon.folder);
  await run('sh', ['-c', here], { env: withSmsgw(daemon) });
  const text = readFileSync(`${daemon.folder}/sms.prom`, 'utf8');
  t.match(text, 'sms_gateway_modem_ready{modem="sim0"} 1');
  execFileSync('promtool', ['check', 'metrics'], { input: text });
});

t.test('a plugin of Nagios', async (t) => {
  const daemon = await start(t);
  const env = withSmsgw(daemon);
  const [, command = ''] =
    /^ {4}command\[check_sms\]=\/usr\/bin\/(.*)$/m.exec(readFileSync('docs/integrations.md', 'utf8')) ?? [];
  t.not(command, '');
  const check = () =>
    run('sh', ['-c', command], { env }).then(
      ({ stdout }) => ({ code: 0, stdout }),
      ({ code, stdout }: { code: number; stdout: string }) => ({ code, stdout }),
    );
  // https://www.monitoring-plugins.org/doc/guidelines.html: one line, its text, a bar, and 'label'=value[UOM];[warn];[crit];[min];[max].
  const figure = /('[^'=]+'|[^\s'=]+)=-?[\d.]+(?:s|us|ms|%|B|KB|MB|TB|c)?(?:;[\d.:~@-]*){0,4}/;
  const form = new RegExp(`^SMS (OK|WARNING|CRITICAL|UNKNOWN) - [^|\\n]+(?: \\|(?: ${figure.source})+)?\\n$`);
  await daemon.until('sms_gateway', 'health', {}, ({ healthy }) => healthy === true);
  const good = await check();
  t.match(good, { code: 0, stdout: form });
  t.match(good.stdout, /^SMS OK .* \| queued=0 /);
  daemon.configure(config.replace("'sim'", "'/dev/not-there'"));
  await daemon.until('sms_gateway', 'health', {}, ({ healthy }) => healthy === false);
  const bad = await check();
  t.match(bad, { code: 2, stdout: form });
  t.match(bad.stdout, /^SMS CRITICAL - .*sim0/);
  await daemon.stop();
  const gone = await check();
  t.match(gone, { code: 3, stdout: form });
  t.match(gone.stdout, /^SMS UNKNOWN - /);
});

t.test('Node-RED: the flow sends as its nodes say', async (t) => {
  const daemon = await start(t);
  const nodes = JSON.parse(readFileSync('examples/node-red/sms.json', 'utf8')) as readonly Record<string, string>[];
  const node = (type: string) => nodes.find((one) => one['type'] === type) ?? {};
  const code = block('integrations', 'Node-RED', 'js').trim();
  t.equal(node('function')['func'], code, 'as the page shows it');
  const send = async (msg: object) => {
    const made = runInNewContext(`(function () { ${code} })()`, { msg });
    const answer = await fetch(forDaemon(daemon, node('http request')['url'] ?? ''), {
      method: node('http request')['method'] ?? '',
      headers: { ...made.headers, authorization: `Bearer ${token.token}` },
      body: JSON.stringify(made.payload),
    });
    return [answer.status, await answer.json()];
  };
  t.match(await send({ _msgid: 'a1b2c3d4e5f60718', payload: 'Pump "2" stopped' }), [201, { id: 1 }]);
  t.match(await send({ _msgid: 'a1b2c3d4e5f60718', payload: 'Pump "2" stopped' }), [200, { id: 1, duplicate: true }]);
  t.same(await sent(daemon, 1), [['+37060000001', 'Pump "2" stopped']]);
  t.match(node('http request'), { authType: 'bearer', ret: 'obj' });
});

t.test('the script of Zabbix', { skip: missingPrograms(['curl'], 'curl') }, async (t) => {
  const daemon = await start(t);
  const script = block('integrations', 'Zabbix', 'js');
  /** As https://www.zabbix.com/documentation/current/en/manual/config/notifications/media/webhook/javascript describes it. */
  class HttpRequest {
    readonly #headers: string[] = [];
    #status = 0;
    addHeader(header: string): void {
      this.#headers.push('-H', header);
    }
    post(url: string, data: string): string {
      const printed = execFileSync('curl', [
        '-s',
        '-w',
        '\n%{http_code}',
        ...this.#headers,
        '--data-binary',
        data,
        url,
      ]);
      const [, body = '', status] = /^(.*)\n(\d+)$/s.exec(String(printed)) ?? [];
      this.#status = Number(status);
      return body;
    }
    getStatus(): number {
      return this.#status;
    }
  }
  const alert = (parameters: object) =>
    String(
      runInNewContext(`(function (value) { ${script} })(given)`, { HttpRequest, given: JSON.stringify(parameters) }),
    );
  const page = readFileSync('docs/integrations.md', 'utf8');
  const usual = {
    ...{ to: '+37060000001', token: token.token, url: `${daemon.http}/api/v1/messages` },
    ...{ text: `Problem: "disk" is full\n${'x'.repeat(1000)}`, ref: '4711-1-2026.11.28-10:00:00' },
  };
  for (const name of Object.keys(usual)) t.match(page, `\`${name}\` = \``, `the page names the parameter ${name}`);
  t.match(JSON.parse(alert(usual)), { id: 1, parts: 3 });
  t.match(JSON.parse(alert(usual)), { id: 1, duplicate: true }, 'tried again it sends nothing again');
  t.match(JSON.parse(alert({ ...usual, ref: '4711-0-2026.11.28-10:00:00', text: 'Resolved' })), { id: 2 });
  t.match(await sent(daemon, 2), [
    ['+37060000001', /^Problem: "disk" is full\nx+$/],
    ['+37060000001', 'Resolved'],
  ]);
  // Zabbix shows the string that a script throws.
  const refusal = (parameters: object) => {
    try {
      return alert(parameters);
    } catch (error) {
      return error;
    }
  };
  t.match(refusal({ ...usual, token: 'smsgw_x' }), /^SMS not accepted: .*401/);
  t.match(refusal({ ...usual, to: 'x', ref: 'other' }), /^SMS not accepted: .*invalid_number/);
});

const yaml = missingModules('jinja2, yaml', 'python3-jinja2 python3-yaml');
t.test('the command of Home Assistant', { skip: yaml }, async (t) => {
  const daemon = await start(t);
  // to_json is Home Assistant's; the rest is Jinja's.
  const render = `
import json, jinja2, sys, yaml
given = json.load(sys.stdin)
command = yaml.safe_load(given["recipe"])["rest_command"]["sms"]
environment = jinja2.Environment()
environment.filters["to_json"] = lambda value: json.dumps(value, ensure_ascii=False)
command["payload"] = environment.from_string(command["payload"]).render(given["data"])
print(json.dumps(command))`;
  const data = { number: '+37060000001', text: 'Wasser im Keller: "größer" \\ 5 %\n{{ 1 }}' };
  const recipe = forDaemon(daemon, block('integrations', 'Home Assistant', 'yaml'));
  const input = JSON.stringify({ recipe, data });
  const command = JSON.parse(execFileSync(python, ['-c', render], { input, encoding: 'utf8' }));
  const answer = await fetch(command.url, {
    method: command.method.toUpperCase(),
    headers: { ...command.headers, 'content-type': command.content_type },
    body: command.payload,
  });
  t.match([answer.status, await answer.json()], [201, { id: 1 }]);
  t.same(await sent(daemon, 1), [[data.number, data.text]]);
});

t.test('ntfy and Gotify get what they publish as their request', async (t) => {
  const receiver = await Receiver.open(t);
  const recipe = block('integrations', 'ntfy and Gotify', '')
    .replace('https://ntfy.example', `http://127.0.0.1:${receiver.port}`)
    .replace('https://gotify.example', `http://127.0.0.1:${receiver.port}`);
  const daemon = await start(t, `\n${recipe}`);
  await daemon.call('sms_gateway.simulator', 'receive', { from: '+37061111111', text: 'a "quoted"\ntext – ž' });
  await until(() => receiver.seen.length >= 2, 'both are asked');
  const [gotify, ntfy] = receiver.seen.toSorted((a, b) => a.url.localeCompare(b.url));
  // https://docs.ntfy.sh/publish/: POST to the topic, the body is the message, headers say the rest.
  t.match(ntfy, { method: 'POST', url: '/sms', headers: { title: 'SMS' }, body: '+37061111111: a "quoted"\ntext – ž' });
  t.match(ntfy?.headers['content-type'], /^text\/plain/);
  // https://gotify.net/api-docs: POST /message, the token in X-Gotify-Key, message needed, priority an integer.
  t.match(gotify, { method: 'POST', url: '/message', headers: { 'x-gotify-key': 'APPTOKEN' } });
  t.match(gotify?.headers['content-type'], /^application\/json/);
  t.same(JSON.parse(gotify?.body ?? ''), {
    title: 'SMS from +37061111111',
    message: 'a "quoted"\ntext – ž',
    priority: 8,
  });
});

t.test('the lines for a shell', { skip: missingPrograms(['curl', 'jq'], 'curl jq') }, async (t) => {
  const daemon = await start(t);
  const env = { ...withSmsgw(daemon), TOKEN: token.token };
  const [local = '', remote = ''] = blocks('integrations', 'Shell', 'sh');
  await run('sh', ['-ec', local], { env });
  t.same(await sent(daemon, 1), [['+37060000001', 'backup failed']]);
  const script = remote.replaceAll('https://gateway:8080', daemon.http);
  const { stdout } = await run('sh', ['-ec', script, 'sms', '+37060000002', 'a "quoted" $text\nof two lines'], { env });
  t.match(JSON.parse(stdout), { id: 2 });
  t.same((await sent(daemon, 2)).at(-1), ['+37060000002', 'a "quoted" $text\nof two lines']);
  await t.rejects(run('sh', ['-ec', script, 'sms', 'x', 'y'], { env }), { code: 22 }, 'a refusal is an error');
});

t.test('the lines of Python', { skip: missingModules('requests', 'python3-requests') }, async (t) => {
  const daemon = await start(t);
  await run(python, ['-c', forDaemon(daemon, block('integrations', 'Python', 'python'))]);
  t.same(await sent(daemon, 1), [['+37060000001', 'backup failed']]);
  await daemon.call('sms_gateway.simulator', 'receive', { from: '+37061111111', text: 'well done' });
  await daemon.until('sms_gateway.message', 'total', {}, ({ unread }) => unread === 1);
  const { stdout } = await run(python, ['-c', forDaemon(daemon, block('api', 'Python', 'python'))]);
  t.match(stdout, /^(?:sent|delivered)\n\+37061111111 well done\n$/);
  t.match(await daemon.call('sms_gateway.message', 'total'), { unread: 0 }, 'it is marked as read');
  t.equal((await sent(daemon, 1)).length, 1, 'both pages use one reference: it is sent once');
});
