import t from 'tap';
import { Access } from '../../src/access/access.ts';
import { budgets } from '../../src/access/budgets.ts';
import { LoginGuard } from '../../src/access/login-guard.ts';
import { createLogger } from '../../src/base/log.ts';
import { ManualClock } from '../support/manual-clock.ts';

function setUp(maxFailures = 10) {
  const clock = new ManualClock();
  const lines: string[] = [];
  const log = createLogger({ level: 'debug', write: (line) => void lines.push(line) });
  const access = new Access();
  const guard = new LoginGuard({ clock, log, access, rules: { maxFailures, lockout: 300 } });
  let checked = 0;
  const attempt = (address: string, right: boolean, account = 'admin', signal?: AbortSignal) =>
    guard.attempt({ address, account, ...(signal && { signal }) }, () => {
      checked += 1;
      return right;
    });
  return { clock, lines, known: access.known, guard, attempt, checked: () => checked };
}

const address = (i: number): string => `198.${18 + (i >> 16)}.${(i >> 8) & 255}.${i & 255}`;

t.test('13,200 guesses from 1,100 addresses in a minute', async (t) => {
  const { clock, guard, attempt, checked } = setUp();
  t.equal(await attempt('203.0.113.7', true), 'right');
  for (let round = 0; round < 12; round++) {
    await clock.advance(5_000);
    for (let i = 0; i < 1100; i++) await attempt(address(i), false);
  }
  const { guessesBurst, accountBurst, accountRate } = budgets.logins;
  t.ok(
    checked() <= 1 + Math.min(guessesBurst.limit, accountBurst.limit) + accountRate.limit + 1,
    `${checked()} checked`,
  );
  t.equal(await attempt('203.0.113.7', true), 'right', 'the owner gets in from where he came before');
  t.equal(await attempt('192.168.1.4', true), 'right', 'and from a private address');
  t.equal(await attempt('203.0.113.8', true), 'slowed', 'elsewhere he waits');
  t.ok(guard.usage()['slowed_accounts'], 'as the status shows');
  await clock.advance(600_000);
  t.equal(await attempt('203.0.113.8', true), 'right');
});

t.test('1,030 other failures evict no lock-out', async (t) => {
  const { clock, guard, attempt } = setUp(3);
  for (let i = 0; i < 3; i++) await attempt('192.0.2.1', false);
  for (let i = 0; i < 1030; i++) {
    await attempt(address(i), false, `name${i}`);
    if (i % 50 === 0) await clock.advance(5_000);
  }
  t.equal(guard.isLocked('192.0.2.1'), true);
  t.equal(await attempt('192.0.2.1', true), 'locked_out');
});

t.test(
  'names that change with each guess are slowed in all, and keep the count of the one that is guessed',
  async (t) => {
    const { attempt, checked } = setUp();
    const { accountBurst, guessesBurst } = budgets.logins;
    for (let i = 0; i < accountBurst.limit; i++) await attempt(address(i), false, 'victim');
    for (let i = 0; i < 2000; i++) await attempt(address(5000 + i), false, `name${i}`);
    t.equal(checked(), guessesBurst.limit);
    t.equal(await attempt('203.0.113.9', false, 'victim'), 'slowed');
  },
);

t.test('logins that break off are counted', async (t) => {
  const { guard, attempt } = setUp(3);
  const check = async (signal: AbortSignal) => {
    await new Promise((_, reject) => signal.addEventListener('abort', () => reject(signal.reason)));
    return false;
  };
  for (let i = 0; i < 3; i++) {
    const gone = new AbortController();
    const attempted = guard.attempt({ address: '192.0.2.1', account: 'admin', signal: gone.signal }, () =>
      check(gone.signal),
    );
    await new Promise((resolve) => setImmediate(resolve));
    gone.abort(new Error('gone'));
    await t.rejects(attempted, { message: 'gone' });
  }
  t.equal(guard.isLocked('192.0.2.1'), true);
  const gone = AbortSignal.abort(new Error('gone before'));
  for (let i = 0; i < 5; i++) await t.rejects(attempt('192.0.2.2', false, 'admin', gone), { message: 'gone before' });
  t.equal(guard.isLocked('192.0.2.2'), false, 'not those that were never begun');
});

t.test('a check that fails here is no guess', async (t) => {
  const { guard } = setUp(1);
  for (let i = 0; i < 3; i++) {
    await t.rejects(
      guard.attempt({ address: '192.0.2.1', account: 'admin' }, () => Promise.reject(new Error('cannot read'))),
      { message: 'cannot read' },
    );
  }
  t.equal(guard.isLocked('192.0.2.1'), false);
});

t.test('each address waits for itself only', async (t) => {
  const { guard } = setUp();
  const releases: (() => void)[] = [];
  const slow = (address: string) =>
    guard.attempt({ address, account: 'admin' }, async () => {
      await new Promise<void>((resolve) => releases.push(resolve));
      return false;
    });
  const hanging = Array.from({ length: 10 }, () => slow('192.0.2.1'));
  await new Promise((resolve) => setImmediate(resolve));
  t.equal(releases.length, 1, 'one at a time of one address');
  t.equal(await guard.attempt({ address: '192.0.2.2', account: 'admin' }, () => true), 'right', 'another goes past');

  const others = ['192.0.2.3', '192.0.2.4', '192.0.2.5'].map(slow);
  await new Promise((resolve) => setImmediate(resolve));
  t.equal(releases.length, 2, 'strangers take a part of the processor only');
  t.equal(
    await guard.attempt({ address: '192.0.2.2', account: 'admin' }, () => true),
    'right',
    'who is known goes past',
  );

  const { waitingAddress } = budgets.logins;
  const more = Array.from({ length: waitingAddress.limit }, () => slow('192.0.2.1'));
  t.equal(await more.at(-1), 'busy', 'and only so many wait');
  let settled = false;
  void Promise.all([...hanging, ...others, ...more]).then(() => {
    settled = true;
  });
  while (!settled) {
    releases.shift()?.();
    await new Promise((resolve) => setImmediate(resolve));
  }
  t.equal(guard.isLocked('192.0.2.1'), true, 'those that waited were counted in their turn');
});

t.test('parallel tries are counted one by one', async (t) => {
  const { attempt, checked, lines } = setUp(3);
  const verdicts = await Promise.all([false, false, false, true, true].map((right) => attempt('192.0.2.1', right)));
  t.same(verdicts, ['wrong', 'wrong', 'wrong', 'locked_out', 'locked_out']);
  t.equal(checked(), 3);
  t.match(lines, ['warning 3 failed logins from 192.0.2.1: locked out for 300 s\n']);
});
