import fc from 'fast-check';
import t from 'tap';
import { AtError } from '../../../src/modem/at/answer.ts';
import { AtChannel, type LateAnswer } from '../../../src/modem/at/channel.ts';
import { PriorityLock } from '../../../src/modem/at/priority-lock.ts';
import type { Unsolicited } from '../../../src/modem/at/unsolicited.ts';
import { ManualClock } from '../../support/manual-clock.ts';
import { cuts, Peer, silentLog } from '../support/peer.ts';

/** How a command failed: the kind of its AtError, and the cause. */
const failure = (promise: Promise<unknown>): Promise<string> =>
  promise.then(
    () => 'resolved',
    (error) => (error instanceof AtError ? `${error.kind} ${error.causeCode ?? ''}`.trim() : String(error)),
  );

t.test('the lock', async (t) => {
  const { signal } = new AbortController();
  const order = async (
    take: (lock: PriorityLock, note: (name: string) => Promise<void>) => readonly Promise<unknown>[],
  ) => {
    const lock = new PriorityLock();
    const taken: string[] = [];
    const first = await lock.acquire('poll', signal);
    const all = take(lock, async (name) => void taken.push(name));
    first();
    await Promise.all(all);
    return taken;
  };
  const using = async (lock: PriorityLock, priority: 'incoming' | 'submit' | 'poll', work: () => Promise<void>) => {
    // A signal of its own: Node warns of a signal with many listeners.
    const release = await lock.acquire(priority, new AbortController().signal);
    await work();
    release();
    release();
  };
  t.same(
    await order((lock, note) => [
      using(lock, 'poll', () => note('poll 1')),
      using(lock, 'submit', () => note('submit 1')),
      using(lock, 'incoming', () => note('incoming 1')),
      using(lock, 'submit', () => note('submit 2')),
      using(lock, 'incoming', () => note('incoming 2')),
    ]),
    ['incoming 1', 'incoming 2', 'submit 1', 'submit 2', 'poll 1'],
    'by priority, first come first served within one; a second release does nothing',
  );
  const flood = await order((lock, note) => [
    using(lock, 'poll', () => note('poll')),
    ...Array.from({ length: 40 }, (_, i) => using(lock, 'incoming', () => note(String(i)))),
  ]);
  t.equal(flood.indexOf('poll'), 16, 'a flood does not starve the others');

  const lock = new PriorityLock();
  const release = await lock.acquire('poll', signal);
  const gone = new AbortController();
  const given = lock.acquire('incoming', gone.signal);
  const waiting = lock.acquire('submit', signal);
  gone.abort(new Error('given up'));
  await t.rejects(given, { message: 'given up' });
  release();
  (await waiting)();
  await t.rejects(lock.acquire('poll', gone.signal), { message: 'given up' });
  const held = await lock.acquire('poll', signal);
  const stranded = lock.acquire('poll', signal);
  lock.break(new Error('port gone'));
  await t.rejects(stranded, { message: 'port gone' });
  held();
  await t.rejects(lock.acquire('poll', signal), { message: 'port gone' });
});

interface Bench {
  readonly clock: ManualClock;
  readonly peer: Peer;
  readonly channel: AtChannel;
  readonly codes: Unsolicited[];
  readonly events: string[];
  readonly late: LateAnswer[];
  readonly signal: AbortSignal;
}

/** A channel whose first words have been exchanged. */
async function bench(synchronised = true): Promise<Bench> {
  const clock = new ManualClock();
  const peer = new Peer(clock);
  const codes: Unsolicited[] = [];
  const events: string[] = [];
  const late: LateAnswer[] = [];
  const listener = {
    answeredLate: (answer: LateAnswer) => void late.push(answer),
    settingsLost: (reason: string) => void events.push(reason),
    unsolicited: (code: Unsolicited) => void codes.push(code),
    closed: (reason: string) => void events.push(`closed: ${reason}`),
    silent: () => void events.push('silent'),
  };
  const channel = new AtChannel({ port: peer.port, clock, log: silentLog, listener });
  const { signal } = new AbortController();
  if (synchronised) {
    peer.reply = (text) => (text === 'AT+CMEE?\r' ? '\r\n+CMEE: 1\r\n\r\nOK\r\n' : '\r\nOK\r\n');
    await channel.command('poll', signal, 'ATE0');
    peer.written.length = 0;
    peer.reply = () => undefined;
  }
  return { clock, peer, channel, codes, events, late, signal };
}

t.test('channel: answers that break parsers', async (t) => {
  const pdu = '07917396090000F0040B917396000000F10000621101000000000568656C6C6F';
  const table: readonly (readonly [string, string, string, readonly string[], number])[] = [
    ['echo on', 'AT+CSQ', 'AT+CSQ\r\r\n+CSQ: 14,99\r\n\r\nOK\r\n', ['+CSQ: 14,99'], 0],
    ['echo without its first octet', 'AT+CGSN', 'T+CGSN\r\r\n356938035643809\r\n\r\nOK\r\n', ['356938035643809'], 0],
    ['a code between echo and line end', 'AT+CSQ', 'AT+CSQ^RSSI:14\r\n+CSQ: 14,99\r\nOK\r\n', ['+CSQ: 14,99'], 1],
    [
      'a code in front of the echo',
      'AT+CSQ',
      '^BOOT:22,0,0,0,75\r\nAT+CSQ\r\r\n+CSQ: 14,99\r\nOK\r\n',
      ['+CSQ: 14,99'],
      1,
    ],
    [
      'a code in the middle',
      'AT+CMGR=1',
      `\r\n+CMGR: 0,"",50\r\n${pdu}\r\n\r\n+CMTI: "SM",2\r\n\r\nOK\r\n`,
      ['+CMGR: 0,"",50', pdu],
      1,
    ],
    ['a report in the middle', 'AT+CSQ', `\r\n+CSQ: 14,99\r\n\r\n+CDS: 25\r\n${pdu}\r\n\r\nOK\r\n`, ['+CSQ: 14,99'], 1],
    ['a change of registration while it is set', 'AT+CREG=1', '\r\n+CREG: 1\r\n\r\nOK\r\n', [], 1],
    [
      'a query of the registration',
      'AT+CREG?',
      '\r\n+CREG: 2, 1, 00C3, 0A1B\r\n\r\nOK\r\n',
      ['+CREG: 2, 1, 00C3, 0A1B'],
      0,
    ],
    ["another command's information", 'AT+CSQ', '\r\n+COPS: 0\r\n+CSQ: 14,99\r\nOK\r\n', ['+CSQ: 14,99'], 0],
    ['noise', 'AT+CSQ', '\x00\xff\r\n+CSQ: 14,99\r\n\x80\r\n\r\nOK\r\n', ['+CSQ: 14,99'], 0],
  ];
  for (const [name, command, answer, lines, codes] of table) {
    await t.test(name, async (t) => {
      const { peer, channel, codes: heard, signal } = await bench();
      peer.reply = () => answer;
      t.same(await channel.command('poll', signal, command), lines);
      t.equal(heard.length, codes);
      await fc.assert(
        fc.asyncProperty(cuts(answer), async (chunks) => {
          heard.length = 0;
          const result = channel.command('poll', signal, command);
          peer.reply = () => {
            peer.say(...chunks);
            return undefined;
          };
          t.same(await result, lines);
          t.equal(heard.length, codes);
        }),
        { numRuns: 10 },
      );
    });
  }
  await t.test('errors', async (t) => {
    const { peer, channel, signal } = await bench();
    for (const [answer, kind, causeCode] of [
      ['\r\nERROR\r\n', 'error', undefined],
      ['\r\nCOMMAND NOT SUPPORT\r\n', 'error', undefined],
      ['\r\n+CMS ERROR: 321\r\n', 'cms', 321],
    ] as const) {
      peer.reply = () => answer;
      t.equal(await failure(channel.command('poll', signal, 'AT+CMGR=1')), `${kind} ${causeCode ?? ''}`.trim());
    }
    t.equal(peer.written.length, 3, 'an error is an answer: nothing has to be resynchronised');
  });
});

t.test('channel: one command at a time', async (t) => {
  const { clock, peer, channel, signal } = await bench();
  const all = ['AT+A', 'AT+B', 'AT+C'].map((text) => channel.command('poll', signal, text));
  await clock.advance(0);
  t.same(peer.written, ['AT+A\r']);
  peer.reply = () => '\r\nOK\r\n';
  peer.say('\r\nOK\r\n');
  await Promise.all(all);
  t.same(peer.written, ['AT+A\r', 'AT+B\r', 'AT+C\r']);
});

t.test('channel: a late answer does not pass for the next one', async (t) => {
  const { clock, peer, channel, signal } = await bench();
  const late = channel.command('poll', signal, 'AT+CSQ');
  late.catch(() => {});
  await clock.advance(5_000);
  t.equal(await failure(late), 'timeout');
  const next = channel.command('poll', signal, 'AT+CGSN');
  await clock.advance(0);
  t.same(peer.written, ['AT+CSQ\r', 'AT+CMEE?\r']);
  peer.reply = () => '\r\n111\r\n\r\nOK\r\n';
  peer.say('\r\n+CSQ: 14,99\r\n\r\nOK\r\n', '\r\n+CMEE: 1\r\n\r\nOK\r\n');
  t.same(await next, ['111']);
});

t.test('channel: a modem that is silent', async (t) => {
  const { clock, peer, channel, events, signal } = await bench(false);
  const command = channel.command('poll', signal, 'AT+CSQ');
  const queued = channel.command('poll', signal, 'AT+CSQ');
  for (const promise of [command, queued]) promise.catch(() => {});
  await clock.advance(60_000);
  t.equal(await failure(command), 'silent');
  t.equal(await failure(queued), 'silent');
  t.same(
    peer.written.join('').split('AT+CMEE?\r').slice(0, 4),
    ['', '\x1b', '\x1bATQ0V1\r', '+++\rATH\rATQ0V1\r'],
    'out of a prompt, results in words, out of data mode',
  );
  t.same(events, ['silent', 'silent']);
});

t.test('channel: a modem without +CMEE still counts as alive', async (t) => {
  const { clock, peer, channel, signal } = await bench(false);
  peer.reply = (text) => (text.includes('CMEE') ? '\r\nERROR\r\n' : '\r\n111\r\n\r\nOK\r\n');
  const command = channel.command('poll', signal, 'AT+CGSN');
  await clock.advance(2_000);
  t.same(await command, ['111']);
});

t.test('channel: information without an OK', async (t) => {
  const { clock, peer, channel, signal } = await bench();
  peer.reply = () => '\r\n+CPIN: READY\r\n';
  const command = channel.command('poll', signal, 'AT+CPIN?', { quiet: 1_000 });
  await clock.advance(1_000);
  t.same(await command, ['+CPIN: READY']);
});

t.test('channel: everything settles when the port goes', async (t) => {
  const { clock, peer, channel, events, signal } = await bench();
  const waiting = [
    channel.command('poll', signal, 'AT+CSQ'),
    channel.command('incoming', signal, 'AT+CMGR=1'),
    channel.transaction('submit', signal, (line) => line.command('AT')),
  ];
  for (const promise of waiting) promise.catch(() => {});
  await clock.advance(0);
  peer.vanish();
  for (const promise of waiting) t.equal(await failure(promise), 'closed');
  t.equal(await failure(channel.command('poll', signal, 'AT')), 'closed');
  t.equal(events.length, 1);
  t.equal(clock.pending, 0, 'no timer is left');
});

t.test('channel: giving up', async (t) => {
  const { clock, peer, channel, signal } = await bench();
  const abort = new AbortController();
  const running = channel.command('poll', abort.signal, 'AT+COPS?');
  const queued = channel.command('poll', abort.signal, 'AT+CSQ');
  for (const promise of [running, queued]) promise.catch(() => {});
  await clock.advance(0);
  abort.abort(new AtError('aborted', 'given up'));
  for (const promise of [running, queued]) t.equal(await failure(promise), 'aborted');
  peer.reply = (text) => (text.includes('CMEE') ? '\r\nOK\r\n\r\n+CMEE: 1\r\n\r\nOK\r\n' : '\r\nOK\r\n');
  await channel.command('poll', signal, 'AT');
  t.same(peer.written.slice(1), ['AT+CMEE?\r', 'AT\r'], 'the line is set right before the next command');
});

t.test('channel: submissions', async (t) => {
  const deadlines = { prompt: 10_000, reference: 60_000 };
  const pdu = '0011000B917396000000F10000AA0568656C6C6F';
  const start = async (answers: Record<string, string>) => {
    const b = await bench();
    b.peer.reply = (text) => answers[text.endsWith('\x1a') ? 'pdu' : text.startsWith('AT+CMGS') ? 'command' : text];
    const abort = new AbortController();
    const result = b.channel.transaction('submit', abort.signal, (l) => l.submit(19, pdu, deadlines));
    await b.clock.advance(0);
    return { ...b, result, abort };
  };
  const table: readonly (readonly [string, Record<string, string>, number, object])[] = [
    ['accepted', { command: '\r\n> ', pdu: '\r\n+CMGS: 12\r\n\r\nOK\r\n' }, 0, { type: 'accepted', mr: 12 }],
    [
      'echo on',
      { command: 'AT+CMGS=19\r\r\n> ', pdu: `${pdu}\x1a\r\n+CMGS: 12\r\n\r\nOK\r\n` },
      0,
      { type: 'accepted', mr: 12 },
    ],
    ['a prompt without its blank', { command: '\r\n>', pdu: '\r\n+CMGS: 3\r\nOK\r\n' }, 0, { type: 'accepted', mr: 3 }],
    [
      'a code in front of the prompt',
      { command: '\r\n+CMTI: "SM",1\r\n^RSSI:3\r\n> ', pdu: '+CMGS:3\r\nOK\r\n' },
      0,
      { type: 'accepted', mr: 3 },
    ],
    ['refused', { command: '\r\n+CMS ERROR: 304\r\n' }, 0, { type: 'refused', cause: 304 }],
    ['refused by the network', { command: '\r\n> ', pdu: '\r\n+CMS ERROR: 38\r\n' }, 0, { type: 'refused', cause: 38 }],
    ['a plain error', { command: '\r\n> ', pdu: '\r\nERROR\r\n' }, 0, { type: 'refused', cause: undefined }],
    ['no prompt', {}, 10_000, { type: 'not_sent' }],
    ['no answer', { command: '\r\n> ' }, 60_000, { type: 'unanswered' }],
    ['a reference and no OK', { command: '\r\n> ', pdu: '\r\n+CMGS: 12\r\n' }, 5_000, { type: 'accepted', mr: 12 }],
  ];
  for (const [name, answers, wait, expected] of table) {
    await t.test(name, async (t) => {
      const { clock, peer, result } = await start(answers);
      if (wait > 0) await clock.advance(wait);
      t.match(await result, expected);
      t.equal(peer.written.includes('\x1b'), name === 'no prompt', 'ESC only to leave a prompt');
      t.equal(clock.pending, 0, 'no timer is left');
    });
  }
  await t.test('the port goes before and after the PDU', async (t) => {
    const before = await start({});
    before.peer.vanish();
    t.match(await before.result, { type: 'not_sent' });
    const after = await start({ command: '\r\n> ' });
    after.peer.vanish();
    t.match(await after.result, { type: 'unanswered' });
  });
  await t.test('given up before and after the PDU', async (t) => {
    const before = await start({});
    before.abort.abort();
    t.match(await before.result, { type: 'not_sent' });
    const late = await start({ command: '\r\n> ' });
    late.abort.abort();
    late.peer.say('\r\n+CMGS: 9\r\n\r\nOK\r\n');
    t.match(await late.result, { type: 'accepted', mr: 9 }, 'an answer that is about to come is waited for');
    const never = await start({ command: '\r\n> ' });
    never.abort.abort();
    await never.clock.advance(2_000);
    t.match(await never.result, { type: 'unanswered' }, 'soon enough for a gateway that stops');
  });
});

const PDU = '0011000B917396000000F10000AA0568656C6C6F';
const LONG = { prompt: 10_000, reference: 160_000 };

/** A submission of which the modem has the PDU. */
async function submitted(replies: (text: string) => string | undefined = () => undefined) {
  const b = await bench();
  b.peer.reply = (text) => (text.startsWith('AT+CMGS') ? '\r\n> ' : replies(text));
  const result = b.channel.transaction('submit', b.signal, (line) => line.submit(19, PDU, LONG));
  await b.clock.advance(0);
  return { ...b, result };
}

t.test('channel: an answer that comes late is the answer', async (t) => {
  for (const ms of [9_000, 11_000, 75_000, 135_000, 150_000]) {
    for (const buffers of [true, false]) {
      const { clock, peer, channel, result, signal } = await submitted();
      await clock.advance(ms);
      // A modem that keeps what is typed while it is busy answers the question afterwards.
      const question = buffers && peer.written.includes('AT+CMGF?\r') ? '\r\n+CMGF: 0\r\n\r\nOK\r\n' : '';
      peer.reply = (text) => (text === 'AT+CMEE?\r' ? '\r\n+CMEE: 1\r\n\r\nOK\r\n' : '\r\n111\r\n\r\nOK\r\n');
      peer.say(`\r\n+CMGS: 7\r\n\r\nOK\r\n${question}`);
      t.match(await result, { type: 'accepted', mr: 7 }, `${ms} ms, ${buffers}`);
      t.same(await channel.command('poll', signal, 'AT+CGSN'), ['111'], 'the line is in order');
      await clock.advance(0);
      t.equal(clock.pending, 0, 'no timer is left');
    }
  }
  const { clock, peer, result } = await submitted();
  await clock.advance(75_000);
  peer.say('\r\n+CMS ERROR: 38\r\n');
  t.match(await result, { type: 'refused', cause: 38 });
});

t.test('channel: a modem that answers a question after the message has lost the answer to it', async (t) => {
  for (const answer of ['\r\n+CMGF: 0\r\n\r\nOK\r\n', '\r\n+CMGF: 0\r\n\r\n+CMTI: "SM",1\r\n\r\nOK\r\n']) {
    const { clock, peer, channel, result, signal } = await submitted((text) =>
      text === 'AT+CMGF?\r' ? answer : text.endsWith('\x1a') ? undefined : '\r\nOK\r\n',
    );
    await clock.advance(9_999);
    t.notOk(peer.written.includes('AT+CMGF?\r'), 'not before most answers have come');
    await clock.advance(1);
    t.match(await result, { type: 'unanswered' });
    peer.written.length = 0;
    await channel.command('poll', signal, 'AT');
    t.same(peer.written, ['AT\r'], 'the line is in order');
  }
});

t.test('channel: what the modem says of a message after the wait', async (t) => {
  const table: readonly (readonly [string, string, object | undefined])[] = [
    ['a reference', '\r\n+CMGS: 7\r\n\r\nOK\r\n', { type: 'accepted', mr: 7 }],
    ['a refusal', '\r\n+CMS ERROR: 500\r\n', { type: 'refused', cause: 500 }],
    ['another error', '\r\n+CME ERROR: 30\r\n', undefined],
    ['a code', '\r\n+CMTI: "SM",1\r\n', undefined],
  ];
  for (const [name, words, expected] of table) {
    for (const when of ['before anything else', 'during the resynchronisation', 'after it']) {
      const { clock, peer, channel, late, result, signal } = await submitted();
      await clock.advance(160_000);
      t.match(await result, { type: 'unanswered' });
      if (when === 'before anything else') peer.say(words);
      const next = channel.command('poll', signal, 'AT+CGSN');
      await clock.advance(0);
      peer.reply = () => '\r\n111\r\n\r\nOK\r\n';
      peer.say(`${when === 'during the resynchronisation' ? words : ''}\r\n+CMEE: 1\r\n\r\nOK\r\n`);
      t.same(await next, ['111'], name);
      if (when === 'after it') peer.say(words);
      await clock.advance(0);
      const counts = expected !== undefined && (when !== 'after it' || words.includes('+CMGS'));
      t.match(late, counts ? [expected] : [], `${name} ${when}`);
      t.equal(late.length, counts ? 1 : 0);
    }
  }
  const { peer, late, clock } = await bench();
  peer.say('\r\n+CMS ERROR: 500\r\n');
  await clock.advance(0);
  t.same(late, [], 'of no message');
});

t.test('channel: a USSD text swallows neither the answer to a message nor the prompt', async (t) => {
  for (const push of ['+CUSD: 2,"Screen of 5" now"', '+CUSD: 2,"never closed', '+CUSD: 0,"Dial *320#"",15']) {
    const b = await bench();
    const said = { command: `\r\n${push}\r\n\r\n> `, pdu: `\r\n${push}\r\n\r\n+CMGS: 9\r\n\r\nOK\r\n` };
    b.peer.reply = (text) => (text.startsWith('AT+CMGS') ? said.command : said.pdu);
    const result = b.channel.transaction('submit', b.signal, (line) => line.submit(19, PDU, LONG));
    await b.clock.advance(1_000);
    t.match(await result, { type: 'accepted', mr: 9 }, push);
    t.equal(b.codes.filter(({ type }) => type === 'ussd').length, 2);
    b.peer.say(`\r\n${push}\r\n`);
    await b.clock.advance(1_000);
    t.equal(b.codes.length, 3, 'nothing need come behind it');
    t.equal(b.clock.pending, 0);
  }
  const { clock, peer, channel, codes, signal } = await bench();
  const sent = channel.transaction('submit', signal, (line) => line.submit(19, PDU, LONG));
  await clock.advance(0);
  peer.say('\r\n+CUSD: 1,"1 Menu\n> Back\n0 Quit",15\r\n');
  await clock.advance(0);
  t.match(codes, [{ type: 'ussd', text: '1 Menu\n> Back\n0 Quit' }]);
  t.same(peer.written, ['AT+CMGS=19\r'], 'a line of a menu is no prompt');
  peer.reply = () => '\r\n+CMGS: 1\r\n\r\nOK\r\n';
  peer.say('\r\n> ');
  t.match(await sent, { type: 'accepted', mr: 1 });
  peer.say('\r\n+CUSD: 1,"open');
  peer.say('\r\n');
  channel.end(new AtError('closed', 'gone'));
  await clock.advance(0);
  t.equal(clock.pending, 0, 'the wait for more of a text ends with the channel');
});

t.test('channel: no PDU goes to a modem that may have left the PDU mode', async (t) => {
  const table: readonly (readonly [string, string, readonly string[], object, readonly string[]])[] = [
    [
      'still in PDU mode',
      '\r\n+CMGF: 0\r\n\r\nOK\r\n',
      ['AT+CMGF?\r', 'AT+CMGS=19\r', `${PDU}\x1a`],
      { type: 'accepted' },
      [],
    ],
    [
      'in text mode',
      '\r\n+CMGF: 1\r\n\r\nOK\r\n',
      ['AT+CMGF?\r'],
      { type: 'not_sent' },
      ['the modem has gone back to text mode'],
    ],
    [
      'it does not know the question',
      '\r\nERROR\r\n',
      ['AT+CMGF?\r', 'AT+CMGF=0\r', 'AT+CMGS=19\r', `${PDU}\x1a`],
      { type: 'accepted' },
      [],
    ],
    [
      'it says nothing of it',
      '\r\nOK\r\n',
      ['AT+CMGF?\r', 'AT+CMGF=0\r', 'AT+CMGS=19\r', `${PDU}\x1a`],
      { type: 'accepted' },
      [],
    ],
    [
      'it echoes',
      'AT+CMGF?\r\r\n+CMGF: 0\r\n\r\nOK\r\n',
      ['AT+CMGF?\r', 'AT+CMGS=19\r', `${PDU}\x1a`],
      { type: 'accepted' },
      ['the modem echoes again: it has restarted'],
    ],
  ];
  for (const [name, mode, written, expected, events] of table) {
    for (const sign of ['silence', 'a code of a start']) {
      const b = await bench();
      b.channel.guard();
      b.peer.reply = (text) =>
        text === 'AT+CMGF?\r'
          ? mode
          : text.startsWith('AT+CMGS')
            ? '\r\n> '
            : text.endsWith('\x1a')
              ? '\r\n+CMGS: 1\r\n\r\nOK\r\n'
              : '\r\nOK\r\n';
      const send = () => b.channel.transaction('submit', b.signal, (line) => line.submit(19, PDU, LONG));
      await send();
      t.same(b.peer.written, ['AT+CMGS=19\r', `${PDU}\x1a`], 'just set up, it is as it was set up');
      b.peer.written.length = 0;
      if (sign === 'silence') await b.clock.advance(2_000);
      else b.channel.doubtMode();
      t.match(await send(), expected, `${name}, ${sign}`);
      t.same(b.peer.written, written);
      t.same(b.events, events);
    }
  }
  const b = await bench();
  b.channel.guard();
  await b.clock.advance(60_000);
  const mute = b.channel.transaction('submit', b.signal, (line) => line.submit(19, PDU, LONG));
  await b.clock.advance(5_000);
  t.match(await mute, { type: 'not_sent' }, 'no answer, no PDU');
});
