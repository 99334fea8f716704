import t from 'tap';
import { Commitment } from '../../src/store/deliveries/attempt.ts';

/** A store that the test lets succeed or fail. */
function gate() {
  let calls = 0;
  let settle: (error?: Error) => void = () => undefined;
  const stored = new Promise<void>((resolve, reject) => {
    settle = (error) => (error === undefined ? resolve() : reject(error));
  });
  const commitment = new Commitment(() => {
    calls += 1;
    return stored;
  });
  return { commitment, settle: (error?: Error) => settle(error), calls: () => calls };
}

t.test('is made when it is stored, and stored once', async (t) => {
  const { commitment, settle, calls } = gate();
  const made = Promise.all([commitment.make(), commitment.make()]);
  settle();
  await made;
  await commitment.make();
  t.equal(calls(), 1);
  t.equal(await commitment.close(), true);
});

t.test('is not made when nobody asks', async (t) => {
  const { commitment, calls } = gate();
  t.equal(await commitment.close(), false);
  await t.rejects(commitment.make(), { code: 'wrong_state' }, 'too late: the delivery may be tried again by now');
  t.equal(calls(), 0);
});

t.test('is not made when the store refuses', async (t) => {
  const { commitment, settle } = gate();
  const made = commitment.make();
  settle(new Error('no space'));
  await t.rejects(made, { message: 'no space' });
  t.equal(await commitment.close(), false);
});

t.test('closing waits for what is being stored', async (t) => {
  const { commitment, settle } = gate();
  const made = commitment.make();
  const closed = commitment.close();
  settle();
  await made;
  t.equal(await closed, true);
});
