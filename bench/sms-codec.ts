/**
 * How fast the SMS codec is on one core. Run: npx tsx bench/sms-codec.ts
 * Aims: 200,000 decodes of a single part and 100,000 encodes a second; 255 parts cost 255 times one part, not more.
 */
import {
  addressOf,
  decodePdu,
  encodeDeliver,
  encodePdu,
  encodeSubmit,
  fromHex,
  joinParts,
  relativeValidity,
  segment,
  timeStamp,
  toHex,
  toUserData,
  userDataText,
} from '../src/sms/index.ts';

const WINDOWS = 10;
const WINDOW_MS = 100;

/** The best of ten windows, after a warm-up: what else the machine does falls on the others. Prints and returns it. */
function measure(name: string, operation: () => unknown, aim?: number): number {
  for (let run = 0; run < 2000; run++) operation();
  let rate = 0;
  for (let window = 0; window < WINDOWS; window++) {
    const started = performance.now();
    let runs = 0;
    let elapsed = 0;
    while (elapsed < WINDOW_MS) {
      for (let batch = 0; batch < 10; batch++) operation();
      runs += 10;
      elapsed = performance.now() - started;
    }
    rate = Math.max(rate, (runs * 1000) / elapsed);
  }
  const verdict = aim === undefined ? '' : `  aim ${aim.toLocaleString('en')}: x${(rate / aim).toFixed(1)}`;
  console.log(`${name.padEnd(52)}${Math.round(rate).toLocaleString('en').padStart(12)}/s${verdict}`);
  return rate;
}

const to = addressOf('+37060000001');
const validity = relativeValidity(48 * 3600);

function encode(text: string): Uint8Array[] {
  const { dcs, parts } = segment(text);
  return parts.map(({ udh, data }) =>
    encodePdu(undefined, encodeSubmit({ to, dcs, validity, userData: toUserData(udh, data) })),
  );
}

function decode(pdu: Uint8Array): string {
  const { tpdu } = decodePdu(pdu, 'to-network');
  return tpdu.type === 'submit' ? userDataText(tpdu.dcs, tpdu.userData) : '';
}

const texts = {
  '26 septets': 'The meter reading is 10482',
  '160 septets': 'The quick brown fox jumps over the lazy dog. '.repeat(4).slice(0, 160),
  '70 UCS2 units': 'Съешь же ещё этих мягких французских булок, да выпей чаю. '.repeat(2).slice(0, 70),
};

for (const [name, text] of Object.entries(texts)) {
  const [pdu = new Uint8Array()] = encode(text);
  const hex = toHex(pdu);
  measure(`decode a SUBMIT, ${name}`, () => decode(pdu), 200_000);
  measure(`the same from hexadecimal`, () => decode(fromHex(hex)));
  measure(`segment and encode, ${name}`, () => encode(text), 100_000);
}

const longest = toUserData(new Uint8Array(0), segment(texts['160 septets']).parts[0]?.data ?? new Uint8Array(0));
const deliver = encodePdu(to, encodeDeliver({ from: to, dcs: 0, time: timeStamp(1.7e12, 120), userData: longest }));
measure(
  'decode a DELIVER, 160 septets',
  () => {
    const { tpdu } = decodePdu(deliver, 'to-mobile');
    return tpdu.type === 'deliver' && userDataText(tpdu.dcs, tpdu.userData);
  },
  200_000,
);

const part = 'x'.repeat(153);
const rates = [2, 255].map((count) => {
  const pdus = encode(part.repeat(count));
  return (
    count *
    measure(`${count} parts: segment, encode, decode and join`, () => {
      encode(part.repeat(count));
      joinParts(
        pdus.map((pdu) => {
          const { tpdu } = decodePdu(pdu, 'to-network');
          return tpdu.type === 'submit' ? tpdu : undefined;
        }),
      );
    })
  );
});
const [few = 0, many = 0] = rates;
console.log(`a part among 255 costs ${(few / many).toFixed(2)} times a part among 2`);
