import type { Test } from 'tap';
import type { SendOutcome } from '../../src/store/sender.ts';
import { testFolder } from './folder.ts';
import { OutboxRig, type RigOptions, until } from './outbox-rig.ts';
import { ScriptedSender, silent } from './scripted-sender.ts';

export async function rigFor(t: Test, options: RigOptions = {}): Promise<OutboxRig> {
  const rig = await OutboxRig.open(testFolder(t), options);
  t.teardown(() => rig.close());
  return rig;
}

export async function crashed(t: Test, rig: OutboxRig): Promise<OutboxRig> {
  const next = await rig.crash();
  t.teardown(() => next.close());
  return next;
}

export const idle = (rig: OutboxRig) => () => rig.outbox.counts().queued + rig.outbox.counts().sending === 0;

/** The network takes the message, and the answer is lost. */
export const lost = (sender: ScriptedSender) => (): SendOutcome => {
  sender.accept();
  return silent;
};

/** A modem that has been seen counting. */
export async function countingSender(rig: OutboxRig, mr = 0): Promise<ScriptedSender> {
  const sender = rig.attach(new ScriptedSender('gsm0', mr));
  for (let i = 0; i < 3; i++) await rig.settled((await rig.submit(900 + i, 'warm up')).id);
  sender.given.length = 0;
  return sender;
}

export const ambiguous = async (rig: OutboxRig, id: number) =>
  until(async () => {
    const { messages } = await rig.outbox.list({ limit: 100, state: 'sending' });
    return messages.some((message) => message.id === id && message.partStates[0]?.state === 'ambiguous');
  }, `message ${id} is doubtful`);
