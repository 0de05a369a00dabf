/** What a model was sent, in words. */
import type { SentAsk, SentPiece } from "../messages";

const KINDS: Record<string, string> = {
  rules: "Rules of the room",
  project_rules: "Rules in the project",
  map: "Map of the project",
  file: "File",
  symbol: "Part of a file",
  people: "People",
  session: "What was asked before",
  runtime: "Last findings",
};

const ROLES: Record<string, string> = {
  system: "Instructions",
  user: "Request",
  assistant: "Answer so far",
};

const PURPOSES: Record<SentAsk["purpose"], string> = {
  answer: "To answer the request",
  continuation: "To go on with an answer that broke off, or was told something further",
  repair: "To repair what checks found in the answer",
  summary: "To sum up a file that is too long to be shown",
  cached: "Not sent: the same was asked before, and that answer was used",
};

export function purposeName(ask: SentAsk): string {
  return PURPOSES[ask.purpose];
}

export function kindName(piece: SentPiece): string {
  return KINDS[piece.kind] ?? piece.kind;
}

export function roleName(role: string): string {
  return ROLES[role] ?? role;
}

/** The pieces that were sent, those that take most first, and those that were not. */
export function parted(ask: SentAsk): { sent: SentPiece[]; left: SentPiece[] } {
  return {
    sent: ask.pieces.filter((piece) => piece.form !== "left_out").sort((a, b) => b.tokens - a.tokens),
    left: ask.pieces.filter((piece) => piece.form === "left_out"),
  };
}

/** How much of the budget a piece takes, from 0 to 1. */
export function share(piece: SentPiece, ask: SentAsk): number {
  const whole = Math.max(ask.tokens, ask.budget, 1);
  return Math.min(1, Math.max(0, piece.tokens / whole));
}
