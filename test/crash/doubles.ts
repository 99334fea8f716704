/** When the daemon was killed, ms since the epoch: it lived until some moment between the two. */
export interface Kill {
  readonly from: number;
  readonly to: number;
}

/** From the acceptance of a part by the network until that is in the journal, ms at the most. */
const UNDER_WAY = 2_000;

/**
 * Parts that the network took twice although no kill explains it: the first copy must have been under way at a kill,
 * the second have come after it, and one modem has only one part under way.
 */
export function unexplained(times: ReadonlyMap<string, readonly number[]>, kills: readonly Kill[]): readonly string[] {
  const faults: string[] = [];
  const explained = new Map<Kill, string>();
  for (const [key, copies] of times) {
    for (const [i, first] of copies.slice(0, -1).entries()) {
      const second = copies[i + 1] ?? 0;
      const kill = kills.find(({ to }) => to >= first);
      if (kill === undefined || first < kill.from - UNDER_WAY || second < kill.from) {
        faults.push(`sent twice, and no kill explains it: ${key} at ${timesOf(copies)}`);
      } else if (explained.has(kill)) {
        const other = explained.get(kill) ?? '';
        faults.push(
          `sent twice after one kill, ${timesOf([kill.from, kill.to])}: ${key} at ${timesOf(copies)} and ${other} at ${timesOf(times.get(other) ?? [])}`,
        );
      } else explained.set(kill, key);
    }
  }
  return faults;
}

const timesOf = (times: readonly number[]): string =>
  times.map((ms) => new Date(ms).toISOString().slice(11)).join(', ');
