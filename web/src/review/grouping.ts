/** A job's suggestions in the order in which they are reviewed. */
import type { Suggestion } from "../messages";

export interface FileGroup {
  path: string;
  suggestions: Suggestion[];
  open: number;
}

/** The suggestions of a job by path, each file's in the order of their places. */
export function byFile(all: readonly Suggestion[], job: string, order: (one: Suggestion) => number): FileGroup[] {
  const groups = new Map<string, Suggestion[]>();
  for (const one of all) {
    if (one.job !== job) continue;
    const group = groups.get(one.path);
    if (group) group.push(one);
    else groups.set(one.path, [one]);
  }
  return [...groups]
    .sort(([a], [b]) => (a < b ? -1 : 1))
    .map(([path, found]) => {
      const places = new Map(found.map((one) => [one, order(one)]));
      return {
        path,
        suggestions: [...found].sort((a, b) => (places.get(a) ?? 0) - (places.get(b) ?? 0) || a.at_ms - b.at_ms),
        open: found.filter((one) => one.state === "open").length,
      };
    });
}

const COUNTED: [Suggestion["state"], string][] = [
  ["open", "to decide"],
  ["accepted", "accepted"],
  ["rejected", "rejected"],
  ["both", "kept with ours"],
  ["edited", "edited by hand"],
  ["merged", "merged by themselves"],
  ["gone", "without a place"],
  ["replaced", "repaired"],
];

/** Such as "3 to decide, 1 accepted"; empty if there are none. */
export function counts(suggestions: readonly Suggestion[]): string {
  return COUNTED.map(([state, words]) => [suggestions.filter((one) => one.state === state).length, words] as const)
    .filter(([count]) => count > 0)
    .map(([count, words]) => `${count} ${words}`)
    .join(", ");
}

/** The suggestion after (or with -1 before) this one, round the end; null if there is none. */
export function neighbour(groups: readonly FileGroup[], current: string | null, step: 1 | -1): string | null {
  const all = groups.flatMap((group) => group.suggestions);
  const index = all.findIndex((one) => one.suggestion === current);
  const next = index < 0 ? (step > 0 ? 0 : all.length - 1) : (index + step + all.length) % all.length;
  return all[next]?.suggestion ?? null;
}

/** What to look at after this one was answered: the next open one, or null when all are decided. */
export function nextOpen(groups: readonly FileGroup[], current: string): string | null {
  const all = groups.flatMap((group) => group.suggestions);
  const index = all.findIndex((one) => one.suggestion === current);
  const round = [...all.slice(index + 1), ...all.slice(0, Math.max(index, 0))];
  return round.find((one) => one.state === "open")?.suggestion ?? null;
}
