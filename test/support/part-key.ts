import type { SentPart } from '../../src/simulator/index.ts';
import { decodeTpdu, fromHex, userDataText } from '../../src/sms/index.ts';

/** `<recipient> <name>/<sequence>` of a part whose text says its message's name again and again, as `out0000012 out0000012`. */
export function partKey({ to, tpdu, sequence }: SentPart): string {
  const submit = decodeTpdu(fromHex(tpdu), 'to-network');
  const text = submit.type === 'submit' ? userDataText(submit.dcs, submit.userData) : '';
  // The first may be cut by the border between two parts.
  const names = text.match(/\b(?:in|out)\d+\b/g) ?? [];
  const [name = text] = names.toSorted((a, b) => b.length - a.length);
  return `${to} ${name}/${sequence}`;
}
