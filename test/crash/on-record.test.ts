import { readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import t from 'tap';
import type { SentPart } from '../../src/simulator/messages.ts';
import { addressOf, encodeSubmit, toHex, toUserData } from '../../src/sms/index.ts';
import { testFolder } from '../support/folder.ts';
import { OutboxRig } from '../support/outbox-rig.ts';
import { type Given, ScriptedSender } from '../support/scripted-sender.ts';
import { offRecord } from './on-record.ts';

const FIRST_MR = 7;

/** As the network has it. */
function sentPart({ part, number }: Given, i: number): SentPart {
  const { dcs, pid, udh, data } = part;
  const tpdu = encodeSubmit({ to: addressOf(number), pid, dcs, userData: toUserData(udh, data) });
  const [sequence = 1, total = 1] = [udh[4], udh[3]];
  return { to: number, mr: FIRST_MR + i, time: 0, tpdu: toHex(tpdu), sequence, total };
}

t.test('what the network took and a journal that lost lines does not have', async (t) => {
  const rig = await OutboxRig.open(testFolder(t));
  const sender = rig.attach(new ScriptedSender('gsm0', FIRST_MR));
  await rig.settled((await rig.submit(1, 'out0000001')).id);
  await rig.settled((await rig.submit(2, 'out0000002 '.repeat(40).trimEnd())).id);
  await rig.close();
  const taken = sender.given.map(sentPart);
  t.equal(taken.length, 4);

  const whole = readFileSync(join(rig.directory, 'journal'), 'latin1').split(/(?<=\n)/);
  const short = join(rig.directory, 'short');
  const keep = (lines: number) => writeFileSync(short, whole.slice(0, lines).join(''), 'latin1');
  const lost = async () => (await offRecord(short, taken)).map((fault) => /out\d+\/\d/.exec(fault)?.[0]);

  const last = whole.length;
  t.match(whole.at(-1), '"k":"o"', 'the last line has the acceptance of the last part');
  keep(last);
  t.same(await lost(), []);
  keep(last - 1);
  t.same(await lost(), [], 'the last part may be in doubt');
  keep(last - 2);
  t.same(await lost(), ['out0000002/2', 'out0000002/3'], 'it is not recorded that the one before was accepted');
  keep(last - 3);
  t.same(await lost(), ['out0000002/1', 'out0000002/2', 'out0000002/3']);
  t.same(await offRecord(join(rig.directory, 'none'), []), [], 'where nothing was sent there may be no journal');
  t.equal((await offRecord(join(rig.directory, 'none'), taken)).length, 4);

  keep(last);
  const other = taken.map((part, i) => (i === 1 ? { ...part, mr: 99 } : part));
  t.match(await offRecord(short, other), [/out0000002\/1 as 99 and 2 after it/], 'another copy of it is on record');
});
