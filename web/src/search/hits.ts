/** What a search found, as a list to walk through. */
import type { SearchHit } from "../messages";

/** A place that can be opened. `line` counts from 1; null is the file as a whole. */
export interface Place {
  file: string;
  path: string;
  line: number | null;
  text: string;
  /** Why its file was found, at the first place in it; null at the others. */
  why: string | null;
}

/** Each line of each file, the best file first; a file of which no line was found stands for itself. */
export function placesOf(hits: SearchHit[]): Place[] {
  return hits.flatMap(({ file, path, why, lines }): Place[] =>
    lines.length === 0
      ? [{ file, path, line: null, text: path, why }]
      : lines.map(({ line, text }, index) => ({ file, path, line, text, why: index === 0 ? why : null })),
  );
}

/** Where a line begins, `line` from 1; the end of a text that has fewer. */
export function lineStart(text: string, line: number): number {
  let at = 0;
  for (let left = line - 1; left > 0; left -= 1) {
    const end = text.indexOf("\n", at);
    if (end < 0) return text.length;
    at = end + 1;
  }
  return at;
}

/** A text cut where words of the question stand in it: every second part is one of them. */
export function marked(text: string, question: string): string[] {
  const words = question
    .split(/\s+/)
    .filter((word) => word.length > 1)
    .sort((a, b) => b.length - a.length)
    .map((word) => word.replace(/[.*+?^${}()|[\]\\]/g, "\\$&"));
  return words.length === 0 ? [text] : text.split(new RegExp(`(${words.join("|")})`, "gi"));
}
