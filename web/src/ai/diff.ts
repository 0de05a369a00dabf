/** Differences of two texts as lines, with far-away unchanged lines folded. */
import { diffLines } from "diff";

export type DiffLine =
  | { kind: "same" | "added" | "removed"; text: string }
  | { kind: "folded"; count: number };

const CONTEXT = 3;
/** Larger texts are compared roughly, so that a rewrite of a big file does not stop the page. */
const LIMITS = { maxEditLength: 4_000, timeout: 200 };

function lines(value: string): string[] {
  const parts = value.split("\n");
  if (parts.at(-1) === "") parts.pop();
  return parts;
}

export function diffTexts(before: string, after: string): DiffLine[] {
  const changes = diffLines(before, after, LIMITS) ?? [
    { value: before, added: false, removed: true },
    { value: after, added: true, removed: false },
  ];
  const result: DiffLine[] = [];
  changes.forEach((change, index) => {
    const texts = lines(change.value);
    if (change.added || change.removed) {
      const kind = change.added ? "added" : "removed";
      result.push(...texts.map((text): DiffLine => ({ kind, text })));
      return;
    }
    const head = index === 0 ? 0 : CONTEXT;
    const tail = index === changes.length - 1 ? 0 : CONTEXT;
    const same = (text: string): DiffLine => ({ kind: "same", text });
    if (texts.length <= head + tail + 1) {
      result.push(...texts.map(same));
      return;
    }
    result.push(...texts.slice(0, head).map(same));
    result.push({ kind: "folded", count: texts.length - head - tail });
    result.push(...(tail ? texts.slice(-tail) : []).map(same));
  });
  return result;
}
