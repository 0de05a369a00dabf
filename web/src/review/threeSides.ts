/**
 * Base, ours and theirs next to each other: rows of lines that all have, and rows in which somebody changed
 * something, with the words that differ from the base marked.
 */
import { diffArrays, diffWordsWithSpace } from "diff";

export interface Piece {
  text: string;
  marked: boolean;
}

export type Row =
  | { kind: "same"; text: string }
  | { kind: "folded"; count: number }
  | { kind: "changed"; by: "ours" | "theirs" | "both" | "agreed"; base: Piece[]; ours: Piece[]; theirs: Piece[] };

const CONTEXT = 2;
/** Larger texts are compared roughly, so that a rewrite of a big file does not stop the page. */
const LIMITS = { maxEditLength: 4_000, timeout: 200 };
const MAX_WORD_CHARS = 20_000;

/** Lines with their line ends, so that joining them gives the text again. */
export function linesOf(text: string): string[] {
  return text.match(/[^\n]*\n|[^\n]+$/g) ?? [];
}

interface Span {
  base: [number, number];
  other: [number, number];
}

function spans(base: string[], other: string[]): Span[] {
  const changes = diffArrays(base, other, LIMITS);
  if (!changes) return [{ base: [0, base.length], other: [0, other.length] }];
  const found: Span[] = [];
  let at = 0;
  let to = 0;
  for (const change of changes) {
    const count = change.value.length;
    if (!change.added && !change.removed) {
      at += count;
      to += count;
      continue;
    }
    const last = found.at(-1);
    const open = last && last.base[1] === at && last.other[1] === to ? last : null;
    const span: Span = open ?? { base: [at, at], other: [to, to] };
    if (!open) found.push(span);
    if (change.removed) span.base[1] = at += count;
    else span.other[1] = to += count;
  }
  return found;
}

/** The words of `text` that differ from `base`, and the ranges of `base` that are not in `text`. */
function words(base: string, text: string): { pieces: Piece[]; missing: [number, number][] } {
  if (base === text) return { pieces: [{ text, marked: false }], missing: [] };
  const small = base.length + text.length <= MAX_WORD_CHARS;
  const changes = small && base && text ? diffWordsWithSpace(base, text, LIMITS) : undefined;
  if (!changes) return { pieces: text ? [{ text, marked: true }] : [], missing: [[0, base.length]] };
  const pieces: Piece[] = [];
  const missing: [number, number][] = [];
  let at = 0;
  for (const { value, added, removed } of changes) {
    if (removed) missing.push([at, at + value.length]);
    else pieces.push({ text: value, marked: added });
    if (!added) at += value.length;
  }
  return { pieces, missing };
}

function cut(text: string, ranges: [number, number][]): Piece[] {
  const pieces: Piece[] = [];
  let at = 0;
  for (const [from, to] of [...ranges].sort((a, b) => a[0] - b[0])) {
    const start = Math.max(from, at);
    if (start > at) pieces.push({ text: text.slice(at, start), marked: false });
    if (to > start) pieces.push({ text: text.slice(start, to), marked: true });
    at = Math.max(at, to);
  }
  if (at < text.length) pieces.push({ text: text.slice(at), marked: false });
  return pieces;
}

export function threeSides(base: string, ours: string, theirs: string): Row[] {
  const [b, o, t] = [linesOf(base), linesOf(ours), linesOf(theirs)];
  const mine = spans(b, o);
  const yours = spans(b, t);
  const rows: Row[] = [];
  const shift = { ours: 0, theirs: 0 };
  let at = 0;
  const same = (upto: number, last: boolean): void => {
    const lines = b.slice(at, upto);
    const head = at === 0 ? 0 : CONTEXT;
    const tail = last ? 0 : CONTEXT;
    const whole = lines.length <= head + tail + 1 || lines.length === b.length;
    const show = (part: string[]): void => {
      if (part.length > 0) rows.push({ kind: "same", text: part.join("") });
    };
    if (whole) show(lines);
    else {
      show(lines.slice(0, head));
      rows.push({ kind: "folded", count: lines.length - head - tail });
      show(lines.slice(lines.length - tail));
    }
    at = upto;
  };
  while (mine.length > 0 || yours.length > 0) {
    const start = Math.min(mine[0]?.base[0] ?? Infinity, yours[0]?.base[0] ?? Infinity);
    same(start, false);
    let end = start;
    const from = { ours: start + shift.ours, theirs: start + shift.theirs };
    const touched = { ours: false, theirs: false };
    // Changes that touch belong together: nothing tells in which order they would stand.
    const take = (side: "ours" | "theirs", list: Span[]): boolean => {
      const next = list[0];
      if (!next || next.base[0] > end) return false;
      list.shift();
      end = Math.max(end, next.base[1]);
      shift[side] = next.other[1] - next.base[1];
      touched[side] = true;
      return true;
    };
    while (take("ours", mine) || take("theirs", yours));
    at = end;
    const before = b.slice(start, end).join("");
    const left = o.slice(from.ours, end + shift.ours).join("");
    const right = t.slice(from.theirs, end + shift.theirs).join("");
    const [ourWords, theirWords] = [words(before, left), words(before, right)];
    const by = left === right ? "agreed" : touched.ours && touched.theirs ? "both" : touched.ours ? "ours" : "theirs";
    rows.push({
      kind: "changed",
      by,
      base: cut(before, [...ourWords.missing, ...theirWords.missing]),
      ours: ourWords.pieces,
      theirs: theirWords.pieces,
    });
  }
  if (at < b.length) same(b.length, true);
  return rows;
}
