import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { text } from 'node:stream/consumers';
import t from 'tap';
import { missingPrograms } from '../support/programs.ts';
import { ApiRig, basic, bearer, PASSWORD, tokenSection } from './api-rig.ts';
import { alertmanager, grafana } from './notifications.ts';

const token = tokenSection('tool');
const reader = tokenSection('reader', "list scope 'read'");
const config = token.section + reader.section;

/** curl with these arguments; what it prints, and the status behind it. */
async function curl(...args: readonly string[]): Promise<{ readonly body: string; readonly status: number }> {
  const child = spawn('curl', ['-s', '-w', '\n%{http_code}', ...args], { stdio: ['ignore', 'pipe', 'inherit'] });
  const [printed] = await Promise.all([text(child.stdout), once(child, 'exit')]);
  const at = printed.lastIndexOf('\n');
  return { body: printed.slice(0, at), status: Number(printed.slice(at + 1)) };
}

const skip = missingPrograms(['curl'], 'curl');

t.test('Grafana and Alertmanager', { skip }, async (t) => {
  const rig = await ApiRig.start(t, config);
  const post = (path: string, body: unknown, ...more: readonly string[]) =>
    curl(
      '-X',
      'POST',
      `${rig.url}/api/v1/alerts/${path}`,
      '-H',
      'Content-Type: application/json',
      '-d',
      JSON.stringify(body),
      ...more,
    );
  const header = ['-H', `Authorization: Bearer ${token.token}`];
  t.match(await post('grafana?group=oncall', grafana, ...header), { status: 201 });
  t.match(await rig.sent(2), [
    ['+37060000001', /^FIRING: High memory usage: .*\nFIRING: High CPU usage/],
    ['+37060000002', /^FIRING: High memory usage/],
  ]);
  t.match((await rig.call('sms_gateway.message', 'status', { id: 1 }))['priority'], 2, 'ahead of others');
  t.match(await post('alertmanager?number=+37060000003,+37060000004&priority=3', alertmanager, ...header), {
    status: 201,
  });
  t.match((await rig.sent(4)).slice(2), [
    ['+37060000003', /^FIRING: InstanceDown: db2:9100 is down\nRESOLVED/],
    ['+37060000004', /^FIRING/],
  ]);
  t.match(await post('grafana?number=%2B37060000005&length=70', grafana, '-u', `admin:${PASSWORD}`), { status: 201 });
  t.match((await rig.sent(5)).at(-1), ['+37060000005', /^.{1,70}$/s]);
  t.match(await post('grafana?number=112,%20113', grafana, ...header), { status: 201 });
  t.match((await rig.sent(7)).slice(-2), [['112'], ['113']], 'national numbers stay so');
  for (const [path, body, status, detail] of [
    ['grafana', grafana, 400, /wanted number, numbers or group, got none/],
    ['grafana?group=none', grafana, 404, /no group/],
    ['grafana?group=oncall&text=x', grafana, 400, /unknown argument/],
    ['grafana?group=oncall', { a: 1 }, 400, /wanted a notification with alerts/],
    ['grafana?number=,', grafana, 400, /got 0 elements/],
    ['nagios?group=oncall', grafana, 404, /nothing at/],
  ] as const) {
    const answer = await post(path, body, ...header);
    t.match([answer.status, JSON.parse(answer.body).detail], [status, detail], path);
  }
  t.equal((await post('grafana?group=oncall', grafana)).status, 401);
});

t.test('Uptime Kuma and others that know RutOS 7', { skip }, async (t) => {
  const rig = await ApiRig.start(t, config);
  const json = [
    '-H',
    'Content-Type: application/json',
    '-H',
    'cache-control: no-cache',
    '-H',
    'Accept: application/json',
  ];
  const login = (username: string, password: string) =>
    curl('-X', 'POST', `${rig.url}/api/login`, ...json, '-d', JSON.stringify({ username, password }));
  const entered = await login('admin', PASSWORD);
  t.match(entered, { status: 200, body: /^\{"success":true,"data":\{"token":"[0-9a-f]{32}","expires":299\}\}\n$/ });
  const session = JSON.parse(entered.body).data.token;
  const send = (secret: string, data: object) =>
    curl(
      '-X',
      'POST',
      `${rig.url}/api/messages/actions/send`,
      ...json,
      '-H',
      `Authorization: Bearer ${secret}`,
      '-d',
      JSON.stringify({ data }),
    );
  const message = { modem: '1-1', number: '+37060000001', message: '[web] [🔴 Down] timeout' };
  t.same(await send(session, message), { status: 200, body: '{"success":true,"data":{"sms_used":1}}\n' });
  t.same(await rig.sent(1), [['+37060000001', '[web] [🔴 Down] timeout']]);
  t.match(await send(session, { ...message, modem: 'gsm0', message: 'x'.repeat(200) }), { body: /"sms_used":2/ });
  t.match(await send(token.token, message), { status: 200 }, 'a token of the config does as well');
  const poster = JSON.parse((await login('poster', 'its own secret')).body).data.token;
  t.match(await send(poster, message), { status: 200 }, 'as does the account of Post/Get');
  for (const [answer, status, code, error] of [
    [await login('admin', 'wrong'), 401, 121, /wrong user name or password/],
    [await login('poster', 'wrong'), 401, 121, /bad username or password/],
    [await curl('-X', 'POST', `${rig.url}/api/login`, '-d', '{}'), 400, 121, /username/],
    [await send('0'.repeat(32), message), 401, 123, /wrong token/],
    [await send(reader.token, message), 403, 120, /may not send/],
    [await send(session, { ...message, number: 'x' }), 400, 122, /no phone number/],
    [await send(session, { number: '1234' }), 400, 122, /message/],
    [await send(session, { ...message, modem: 'lte' }), 404, 122, /no modem/],
  ] as const) {
    const { success, errors } = JSON.parse(answer.body);
    t.match([answer.status, success, errors[0].code, errors[0].error], [status, false, code, error]);
  }
  t.equal((await curl(`${rig.url}/api/login`)).status, 405);
});

t.test('Apprise, Uptime Kuma and others that know SMSEagle', { skip }, async (t) => {
  const rig = await ApiRig.start(t, config);
  const rpc = async (method: string, params: object, path = '/jsonrpc/sms') => {
    const answer = await curl(
      '-X',
      'POST',
      rig.url + path,
      '-H',
      'Content-Type: application/json',
      '-d',
      JSON.stringify({ method, params }),
    );
    t.equal(answer.status, 200);
    return JSON.parse(answer.body).result;
  };
  const apprise = {
    ...{ access_token: token.token, message: 'body', highpriority: 0, unicode: 1, message_type: 'sms' },
    ...{ responsetype: 'extended', flash: 0, test: 0 },
  };
  t.same(await rpc('sms.send_sms', { to: '+37060000001', ...apprise }), { message_id: '1', status: 'ok' });
  t.same(await rpc('sms.send_togroup', { groupname: 'oncall', ...apprise }), [
    { message_id: '2', status: 'ok' },
    { message_id: '3', status: 'ok' },
  ]);
  const old = { login: 'admin', pass: PASSWORD, message: 'old' };
  t.equal(await rpc('sms.send_sms', { to: '+37060000002', ...old }, '/index.php/jsonrpc/sms'), 'OK; ID=4');
  t.same(await rpc('sms.send_sms', { to: '+37060000002,+37060000003', highpriority: '1', ...old }), [
    'OK; ID=5',
    'OK; ID=6',
  ]);
  await rpc('sms.send_sms', { to: '+37060000009', date: '209001312359', ...old });
  t.match((await rig.call('sms_gateway.message', 'status', { id: 7 }))['not_before'], /^2090-0[12]-/);
  t.match(
    await rpc('sms.send_sms', { to: '1234', ...apprise, test: 1 }),
    { message_id: '0', status: 'ok' },
    'a test sends nothing',
  );
  t.equal((await rig.sent(6)).length, 6);
  t.same(await rpc('sms.send_sms', { to: '1234', ...old, pass: 'x' }), 'Invalid login or password');
  t.same(await rpc('sms.send_sms', { to: '1234', ...apprise, access_token: 'x' }), {
    error_text: 'Invalid access token',
    status: 'error',
  });
  t.same(await rpc('sms.send_sms', { ...old }), 'Wrong parameters');
  t.same(await rpc('sms.read_sms', { ...old }), 'Wrong parameters');
  t.match(await rpc('sms.send_sms', { to: 'x', ...apprise }), { error_text: /no phone number/, status: 'error' });
  t.match(await rpc('sms.send_sms', { to: '1', ...apprise, message_type: 'mms' }), { error_text: /MMS/ });
  t.match(await rpc('sms.send_sms', { to: '1', ...apprise, access_token: reader.token }), {
    error_text: /may not send/,
  });

  const rest = (body: unknown, secret = token.token) =>
    curl(
      '-X',
      'POST',
      `${rig.url}/api/v2/messages/sms`,
      '-H',
      `access-token: ${secret}`,
      '-H',
      'Content-Type: application/json',
      '-d',
      JSON.stringify(body),
    );
  const kuma = { text: 'down', encoding: 'standard', priority: 0, to: ['+37060000005', '+37060000006'] };
  const answer = await rest(kuma);
  t.equal(answer.status, 200);
  t.match(JSON.parse(answer.body), [
    { status: 'queued', number: '+37060000005', id: 8 },
    { status: 'queued', number: '+37060000006', id: 9 },
  ]);
  t.equal((await rest(kuma, 'x')).status, 401);
  t.equal((await rest({ text: 'x' })).status, 400);
});

t.test('as the examples of the documentation do', { skip }, async (t) => {
  const rig = await ApiRig.start(t, config);
  // Without a Content-Type of its own, curl calls every body a form.
  const sent = await curl(
    `${rig.url}/api/v1/messages`,
    '-H',
    `Authorization: Bearer ${token.token}`,
    '-d',
    '{"number":"+37060000001","text":"hi"}',
  );
  t.match(sent, { status: 201, body: /"id":1/ });
  t.match(await curl('-u', 'poster:its own secret', `${rig.url}/api/v1/messages?box=outbox`), {
    status: 200,
    body: /"text":"hi"/,
  });
  t.match(await rig.send('GET', '/api/v1/messages/1', undefined, { ...bearer(reader.token) }), { status: 200 });
  t.match(await rig.send('GET', '/api/v1/messages/1', undefined, { ...basic('admin', PASSWORD) }), { status: 200 });
});
