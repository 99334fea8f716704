import t, { type Test } from 'tap';
import type { CgiAnswer } from '../../src/modules/host/contract.ts';
import { decodeSeptets, decodeUcs2 } from '../../src/sms/index.ts';
import type { PartToSend, SendOutcome } from '../../src/store/sender.ts';
import { refusedWith } from '../support/scripted-sender.ts';
import { PostGetGateway } from './post-get-gateway.ts';

const textOf = ({ dcs, data }: PartToSend) => (dcs === 8 ? decodeUcs2(data) : decodeSeptets(data));
const rejected = refusedWith(1, '+CMS ERROR: 1');
const fail = (part: PartToSend) => part.number === '+37060000002';

/** A modem that takes a part and never answers; `until` resolves when it has `count` of them. */
function hang(gateway: PostGetGateway): { until(count: number): Promise<void>; release(outcome: SendOutcome): void } {
  let release = (_: SendOutcome) => {};
  const answered = new Promise<SendOutcome>((resolve) => {
    release = resolve;
  });
  gateway.modem.outcome = (_, signal) =>
    Promise.race([
      answered,
      new Promise<SendOutcome>((resolve) =>
        signal.addEventListener('abort', () => resolve({ type: 'unavailable', reason: 'aborted' })),
      ),
    ]);
  return {
    async until(count) {
      while (gateway.modem.parts.length < count) await new Promise((resolve) => setImmediate(resolve));
    },
    release,
  };
}

/** Resolves when the outbox has that many messages that are not sent yet. */
async function queued({ outbox }: PostGetGateway, count: number): Promise<void> {
  const waiting = () => outbox.counts().queued + outbox.counts().sending;
  while (waiting() < count) await new Promise((resolve) => setImmediate(resolve));
}

/** The answer, for which `ms` must pass on the gateway's clock: again when it had not begun to wait at first. */
async function after(gateway: PostGetGateway, ms: number, answer: Promise<CgiAnswer>): Promise<CgiAnswer> {
  let answered = false;
  void answer.finally(() => {
    answered = true;
  });
  while (!answered) await gateway.clock.advance(ms);
  return answer;
}

t.test('a text is sent and answered with OK', async (t) => {
  const gateway = await PostGetGateway.open(t);
  const cases: readonly (readonly [query: string, body: string, number: string, texts: readonly string[]])[] = [
    ['number=0037060000001&text=test+message', 'OK\n', '+37060000001', ['test message']],
    ['number=%2B37060000001&text=%C3%A4%E2%82%AC', 'OK\n', '+37060000001', ['ä€']],
    ['number=+37060000001&text=a%2Bb%26c', 'OK\n', '+37060000001', ['a+b&c']],
    ['number=112&text=%F0%9F%98%80', 'OK\n', '112', ['😀']],
    ['number=*%23100%23&text=x', 'OK\n', '*#100#', ['x']],
    ['number=060000001&text=x&group=friends', 'OK\n', '060000001', ['x']],
    ['number=+060000001&text=x', 'OK\n', '060000001', ['x']],
    [`number=112&text=${'x'.repeat(160)}`, 'OK\n', '112', ['x'.repeat(160)]],
    [`number=112&text=${'x'.repeat(161)}`, 'OK\n2/2\n', '112', ['x'.repeat(153), 'x'.repeat(8)]],
    [`number=112&text=${'x'.repeat(255 * 153)}`, 'OK\n255/255\n', '112', Array(255).fill('x'.repeat(153))],
  ];
  for (const [query, body, number, texts] of cases) {
    const answer = await gateway.get('sms_send', query);
    t.same([answer.status, answer.body], [200, body], query.slice(0, 60));
    const parts = gateway.modem.parts.splice(0);
    t.same(parts.map(textOf), texts);
    t.ok(parts.every((part) => part.number === number));
  }
});

t.test('the JSON form', async (t) => {
  const gateway = await PostGetGateway.open(t);
  t.same(await gateway.json('sms_send', 'number=112&text=x'), { id: 1, state: 'sent', parts: 1, encoding: 'gsm7' });
  gateway.modem.outcome = () => rejected;
  t.match(await gateway.json('sms_send', 'number=112&text=y'), {
    error: { code: 'modem_rejected', message: /\w/ },
    ...{ id: 2, state: 'failed', parts: 1, encoding: 'gsm7' },
  });
});

t.test('failures', async (t) => {
  const gateway = await PostGetGateway.open(t);
  gateway.modem.outcome = () => rejected;
  t.match(await gateway.get('sms_send', 'number=112&text=x'), { status: 200, body: 'ERROR\n' });
  await gateway.configure({ strict_status: true });
  t.match(await gateway.get('sms_send', 'number=112&text=x'), { status: 502, body: 'ERROR\n' });

  t.test('a full queue', async (t) => {
    const modem = hang(gateway);
    const waiting = Array.from({ length: 6 }, (_, i) => gateway.get('sms_send', `number=112&text=${i}`));
    await modem.until(3);
    t.match(await gateway.get('sms_send', 'number=112&text=more'), { status: 503, body: 'ERROR\n' });
    gateway.modem.outcome = () => gateway.modem.accept();
    modem.release(gateway.modem.accept());
    for (const answer of await Promise.all(waiting)) t.equal(answer.body, 'OK\n');
  });
});

t.test('a modem that takes too long', async (t) => {
  const gateway = await PostGetGateway.open(t, { strict_status: true });
  const modem = hang(gateway);
  const first = gateway.get('sms_send', 'number=112&text=x');
  await modem.until(1);
  t.match(await after(gateway, 30_000, first), { status: 504, body: 'TIMEOUT\n' });
  t.equal(gateway.clock.pending, 0, 'leaves no timer');
  t.equal(gateway.outbox.counts().sending, 1, 'the message stays');

  const repeated = gateway.get('sms_send', 'number=112&text=x');
  const others = [
    gateway.get('sms_send', 'number=112&text=y'),
    gateway.cgi({
      script: 'sms_send',
      query: 'username=user1&password=user_pass&number=112&text=x',
      remoteAddress: '192.168.1.8',
    }),
  ];
  // Requests are taken up in their order: the repetition has joined once the two behind it wait.
  await queued(gateway, 3);
  modem.release(gateway.modem.accept());
  for (const answer of await Promise.all([repeated, ...others])) t.equal(answer.body, 'OK\n');
  const texts = gateway.modem.parts.map(textOf).sort();
  t.same(texts, ['x', 'x', 'y'], 'a repetition joins the first, another text or client does not');

  gateway.modem.outcome = () => gateway.modem.accept();
  t.match(await gateway.get('sms_send', 'number=112&text=x'), { body: 'OK\n' });
  t.equal(gateway.modem.parts.length, 4, 'after the first has left it is a new message');
});

t.test('the wait ends with its client and with the module', async (t) => {
  const gateway = await PostGetGateway.open(t);
  const modem = hang(gateway);
  const client = new AbortController();
  const gone = gateway.get('sms_send', 'number=112&text=x', client.signal);
  const stopped = gateway.get('sms_send', 'number=112&text=y');
  await modem.until(1);
  client.abort();
  await t.resolves(gone);
  gateway.abort();
  t.equal((await stopped).body, 'TIMEOUT\n');
  t.equal(gateway.outbox.counts().queued + gateway.outbox.counts().sending, 2, 'both messages stay');
});

t.test('send_timeout 0 answers once the message is stored', async (t) => {
  const gateway = await PostGetGateway.open(t, { send_timeout: 0 });
  hang(gateway);
  t.equal(await gateway.text('sms_send', 'number=112&text=x'), 'OK\n');
  t.equal(await gateway.text('sms_send', `number=112&text=${'x'.repeat(400)}`), 'OK\n3/3\n');
  t.match(await gateway.json('sms_send', 'number=112&text=y'), { id: 3, state: /^(queued|sending)$/ });
});

t.test('one modem of several', async (t) => {
  const gateway = await PostGetGateway.open(t, { modem: 'gsm1' });
  const answer = gateway.get('sms_send', 'number=112&text=x');
  await queued(gateway, 1);
  t.equal((await after(gateway, 30_000, answer)).body, 'TIMEOUT\n', 'waits for its own');
  t.equal(gateway.modem.parts.length, 0);
});

t.test('several numbers', async (t) => {
  const a = '+37060000001';
  const b = '+37060000002';
  const c = '+37060000003';
  const cases: readonly (readonly [number: string, numbers: readonly string[] | undefined])[] = [
    ['0037060000001,%2B37060000002', [a, b]],
    ['0037060000001, 0037060000002 ,,112,', [a, b, '112']],
    ['+37060000001,+37060000002,+ 37060000003', [a, b, c]],
    ['0037060000001,+37060000001', undefined],
    ['0037060000001,%2B37060000001', [a]],
    ['5551234567,+5559876543', undefined],
    ['0037060000001,x', undefined],
    ['0037060000001;0037060000002', undefined],
    [',0037060000001', undefined],
    [',', undefined],
  ];
  for (const [number, numbers] of cases) {
    const gateway = await PostGetGateway.open(t);
    const answer = await gateway.text('sms_send', `number=${number}&text=x`);
    t.equal(answer, numbers === undefined ? 'WRONG_NUMBER\n' : 'OK\n', number);
    t.same(
      gateway.modem.parts.map((part) => part.number),
      numbers ?? [],
      'all of them or none',
    );
  }
  const gateway = await PostGetGateway.open(t);
  t.match(await gateway.json('sms_send', 'number=112,113&text=x'), {
    ...{ id: 1, state: 'sent' },
    recipients: [
      { number: '112', id: 1, state: 'sent' },
      { number: '113', id: 2, state: 'sent' },
    ],
  });
  t.notOk(Object.hasOwn(Object(await gateway.json('sms_send', 'number=112&text=x')), 'recipients'));
  const many = `number=${'112,'.repeat(101)}&text=x`;
  t.equal(await gateway.text('sms_send', many), 'more than 100 numbers\n');
});

t.test('groups', async (t) => {
  const toGroup = async (t: Test, outcome: PostGetGateway['modem']['outcome']) => {
    const gateway = await PostGetGateway.open(t);
    gateway.modem.outcome = outcome;
    return gateway;
  };
  t.test('each member once', async (t) => {
    const gateway = await PostGetGateway.open(t);
    t.equal(await gateway.text('sms_send', 'group=friends&text=x'), 'OK\n');
    t.same(gateway.modem.parts.map(({ number }) => number).sort(), ['+37060000001', '+37060000002']);
    t.equal(await gateway.text('sms_send', `number=&group=friends&text=${'x'.repeat(161)}`), 'OK\n2/2\n');
    t.same(await gateway.json('sms_send', 'group=friends&text=y'), {
      ...{ id: 5, state: 'sent', parts: 1, encoding: 'gsm7' },
      recipients: [
        { number: '+37060000001', id: 5, state: 'sent' },
        { number: '+37060000002', id: 6, state: 'sent' },
      ],
    });
    const { messages } = await gateway.outbox.list({ limit: 10 });
    t.same(
      messages.map(({ batch }) => batch),
      [undefined, 1, undefined, 3, undefined, 5],
    );
  });

  t.test('some fail', async (t) => {
    const gateway = await toGroup(t, (part) => (fail(part) ? rejected : gateway.modem.accept()));
    t.equal(await gateway.text('sms_send', 'group=friends&text=x'), 'ERROR\n');
    t.match(await gateway.json('sms_send', 'group=friends&text=y'), {
      error: { code: 'modem_rejected' },
      ...{ id: 3, state: 'sent' },
      recipients: [
        { number: '+37060000001', state: 'sent' },
        { number: '+37060000002', state: 'failed', error: /\w/ },
      ],
    });
  });

  t.test('some are not sent in time', async (t) => {
    const gateway = await toGroup(t, (part, signal) =>
      fail(part)
        ? new Promise((resolve) =>
            signal.addEventListener('abort', () => resolve({ type: 'unavailable', reason: 'aborted' })),
          )
        : gateway.modem.accept(),
    );
    const answer = gateway.get('sms_send', 'group=friends&text=x&format=json');
    while (gateway.modem.parts.length < 2) await new Promise((resolve) => setImmediate(resolve));
    t.match(JSON.parse((await after(gateway, 30_000, answer)).body), {
      error: { code: 'timeout' },
      recipients: [{ state: 'sent' }, { state: 'sending' }],
    });
  });

  t.test('some are refused by the queue', async (t) => {
    const gateway = await PostGetGateway.open(t);
    hang(gateway);
    for (let i = 0; i < 5; i++) void gateway.get('sms_send', `number=112&text=${i}`);
    await queued(gateway, 5);
    const answer = gateway.get('sms_send', 'group=friends&text=x&format=json');
    await queued(gateway, 6);
    t.match(JSON.parse((await after(gateway, 30_000, answer)).body), {
      error: { code: 'queue_full' },
      recipients: [{ state: 'queued' }, { state: 'failed', code: 'queue_full' }],
    });
  });
});
