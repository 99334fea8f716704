import { execFileSync, spawnSync } from 'node:child_process';
import { readFileSync, writeFileSync } from 'node:fs';
import { resolve } from 'node:path';
import t from 'tap';
import { Daemon } from '../support/daemon.ts';
import { testFolder } from '../support/folder.ts';
import { freePort } from '../support/free-port.ts';
import { missingPrograms } from '../support/programs.ts';

/*
 * The alerts and the dashboard of examples/: what they ask for exists in a gateway, and promtool reads them.
 */
const ALERTS = resolve('examples/prometheus/alerts.yml');
const skip = missingPrograms(['promtool'], 'prometheus');

interface Panel {
  readonly title: string;
  readonly gridPos: { readonly x: number; readonly y: number; readonly w: number; readonly h: number };
  readonly targets: readonly { readonly expr: string }[];
}
const dashboard: { readonly panels: readonly Panel[] } = JSON.parse(
  readFileSync('examples/grafana/dashboard.json', 'utf8'),
);
const expressions = dashboard.panels.flatMap(({ targets }) => targets.map(({ expr }) => expr));

/** Alerts say their expressions over one line or several; what stands in quotes is text. */
const asked = [
  ...readFileSync(ALERTS, 'utf8')
    .replace(/^\s+(?:summary|description): .*$/gm, '')
    .split('\n'),
  ...expressions,
];

/** Names of metrics, without what a histogram appends. */
const metricsIn = (text: string) =>
  [...text.matchAll(/\b(?:sms_gateway|process)_[a-z_]+\b/g)]
    .map(([name]) => name.replace(/_(?:bucket|sum|count)$/, ''))
    // The job of the scrape config.
    .filter((name) => name !== 'sms_gateway');

t.test('every metric of the alerts and the dashboard is one of a gateway, with these labels', async (t) => {
  const port = await freePort();
  const config = `config modem 'gsm0'\n\toption device 'sim'\n\nconfig smpp 'smpp'\n\toption enabled '1'\n\toption address '127.0.0.1'\n\toption port '${port}'\n`;
  const daemon = new Daemon({ folder: testFolder(t), config });
  t.teardown(() => daemon.stop('SIGKILL'));
  await daemon.start();
  await daemon.until('sms_gateway.modem', 'status', { modem: 'gsm0' }, ({ state }) => state === 'ready', 60_000);
  await daemon.call('sms_gateway.message', 'send', { number: '+37060000001', text: 'out', wait: 20 });
  await daemon.call('sms_gateway.simulator', 'receive', { from: '+37060000002', text: 'in' });
  await daemon.until('sms_gateway.message', 'total', {}, ({ used }) => used === 1);
  await daemon.until(
    'sms_gateway',
    'metrics',
    {},
    ({ text }) => /^sms_gateway_ended_total\{/m.test(String(text)),
    60_000,
  );
  const body = await (await fetch(`${daemon.http}/metrics`)).text();

  const offered = new Set([...body.matchAll(/^# TYPE (\S+) /gm)].map(([, name]) => name));
  const names = new Set(asked.flatMap(metricsIn));
  t.ok(names.size > 15, `${names.size} metrics are asked for`);
  for (const name of names) t.ok(offered.has(name), `${name} exists`);

  const labels = new Set([...body.matchAll(/[{,]([a-z_]+)="/g)].map(([, name]) => name));
  // What Prometheus adds.
  for (const name of ['instance', 'job']) labels.add(name);
  const selected = asked.flatMap((line) => [
    ...[...line.matchAll(/[{,]\s*([a-z_]+)=~?"/g)].map(([, name]) => name),
    ...[...line.matchAll(/\b(?:by|on) \(([a-z_, ]+)\)/g)].flatMap(([, list = '']) => list.split(/,\s*/)),
  ]);
  t.ok(selected.length > 20, `${selected.length} labels are asked for`);
  for (const name of new Set(selected)) t.ok(labels.has(name), `the label ${name} exists`);
  for (const event of ['delivered', 'receipts', 'throttled']) {
    t.match(body, `module_events_total{module="smpp",event="${event}"}`, `the SMPP server counts ${event}`);
  }
});

t.test('promtool takes the config and the alerts', { skip }, (t) => {
  const { status, stdout, stderr } = spawnSync('promtool', ['check', 'config', 'prometheus.yml'], {
    cwd: 'examples/prometheus',
    encoding: 'utf8',
  });
  t.equal(status, 0, `${stdout}${stderr}`);
  t.end();
});

t.test('the alerts fire when they should, and only then', { skip }, (t) => {
  const file = `${testFolder(t)}/tests.yml`;
  writeFileSync(file, readFileSync('test/docs/fleet-alerts.yml', 'utf8').replace('[ALERTS]', `['${ALERTS}']`));
  const { status, stdout, stderr } = spawnSync('promtool', ['test', 'rules', file], { encoding: 'utf8' });
  t.equal(status, 0, `${stdout}${stderr}`);
  t.end();
});

t.test('the queries of the dashboard are PromQL, and its panels do not overlap', { skip }, (t) => {
  const file = `${testFolder(t)}/queries.yml`;
  const rules = expressions.map((expr, n) => {
    const query = expr.replaceAll('$__rate_interval', '5m').replaceAll('$gateway', '.*');
    return `      - { record: "panel:query${n}", expr: ${JSON.stringify(query)} }\n`;
  });
  writeFileSync(file, `groups:\n  - name: dashboard\n    rules:\n${rules.join('')}`);
  t.match(
    execFileSync('promtool', ['check', 'rules', file], { encoding: 'utf8' }),
    `${expressions.length} rules found`,
  );
  const cells = new Map<string, string>();
  for (const { title, gridPos } of dashboard.panels) {
    t.ok(gridPos.x + gridPos.w <= 24, `${title} is within the width`);
    for (let x = gridPos.x; x < gridPos.x + gridPos.w; x++) {
      for (let y = gridPos.y; y < gridPos.y + gridPos.h; y++) {
        const other = cells.get(`${x} ${y}`);
        if (other !== undefined) t.fail(`${title} lies on ${other}`);
        cells.set(`${x} ${y}`, title);
      }
    }
  }
  t.end();
});
