import type { SimulatedModem } from '../../../src/simulator/index.ts';
import type { ManualClock } from '../../support/manual-clock.ts';

/** Gives a simulated modem commands by hand, as somebody with a terminal does, and hangs up. Resolves to what it said. */
export async function byHand(modem: SimulatedModem, clock: ManualClock, ...writes: readonly string[]): Promise<string> {
  const stream = modem.connect();
  let heard = '';
  stream.on('data', (chunk: Buffer) => {
    heard += chunk.toString('latin1');
  });
  for (const text of writes) {
    stream.write(Buffer.from(text, 'latin1'));
    await clock.advance(100);
  }
  modem.detach();
  return heard;
}
