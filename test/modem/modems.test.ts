import { join } from 'node:path';
import t from 'tap';
import { Bus } from '../../src/base/bus.ts';
import { Modems } from '../../src/modem/modems.ts';
import type { ModemEvents } from '../../src/modem/status.ts';
import { testFolder } from '../support/folder.ts';
import { InboxRig } from '../support/inbox-rig.ts';
import { ManualClock } from '../support/manual-clock.ts';
import { OutboxRig, pass } from '../support/outbox-rig.ts';
import { recordingLog } from './support/peer.ts';
import { modemConfig } from './support/session-bench.ts';

t.test('what a modem says reaches the bus: its state, calls, USSD texts of the network', async (t) => {
  const clock = new ManualClock();
  const inboxes = await InboxRig.open(undefined, { clock });
  const folder = testFolder(t, { pins: {} });
  const outboxes = await OutboxRig.open(folder, { clock });
  const { log } = recordingLog();
  const bus = new Bus<ModemEvents>(log);
  const heard: unknown[] = [];
  const states: string[] = [];
  bus.on('call.incoming', heard, (call) => void heard.push(call));
  bus.on('ussd.received', heard, (push) => void heard.push(push));
  bus.on(
    'modem.state',
    heard,
    ({ state, recovery }) => void states.push(recovery === undefined ? state : `${state} !`),
  );
  const modems = new Modems({
    inbox: inboxes.inbox,
    outbox: outboxes.outbox,
    bus,
    clock,
    log,
    stateDirectory: join(folder, 'pins'),
  });
  t.teardown(async () => {
    await modems.stopAll();
    await outboxes.close();
  });
  await modems.start({ ...modemConfig, section: 'gsm1' });
  await pass(clock, 50, () => modems.find('gsm1')?.ready === true, 'it is ready');
  t.equal(states.at(-1), 'ready');

  const modem = modems.simulators.get('gsm1');
  const says = async (text: string, count = 1) => {
    modem?.faults.add({ type: 'urc_flood', text, interval: 3_000, count });
    await clock.advance(3_000 * count);
  };
  await says('RING\r\n\r\n+CLIP: "+37060000001",145,,,,0', 4);
  t.same(heard.splice(0), [{ modem: 'gsm1', number: '+37060000001' }], 'once a call');
  await clock.advance(20_000);
  await says('+CRING: VOICE', 3);
  t.same(heard.splice(0), [{ modem: 'gsm1' }], 'without a number');
  await says('+CUSD: 0,"Your balance is 5 EUR",15');
  await says('+CUSD: 0,"00420061006C0061006E00630065",72');
  t.same(heard.splice(0), [
    { modem: 'gsm1', text: 'Your balance is 5 EUR' },
    { modem: 'gsm1', text: 'Balance' },
  ]);
  // The answer to a request is no event.
  modem?.faults.add({ type: 'ussd_answer', parameters: '0,"asked for",15' });
  let answer: string | undefined;
  void modems
    .find('gsm1')
    ?.ussd('*100#', new AbortController().signal)
    .then((text) => {
      answer = text;
    });
  await pass(clock, 50, () => answer !== undefined, 'the network answers');
  t.equal(answer, 'asked for');
  t.same(heard, []);

  modem?.faults.add({ type: 'mute' });
  await pass(clock, 500, () => states.at(-1) === 'hung', 'it hangs');
  await pass(clock, 500, () => states.at(-1) === 'ready', 'the ladder brings it back, and the state names no recovery');
  bus.off(heard);
});
