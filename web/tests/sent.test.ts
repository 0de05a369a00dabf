import { describe, expect, it } from "vitest";
import { kindName, parted, purposeName, roleName, share } from "../src/ai/sent";
import type { SentAsk, SentPiece } from "../src/messages";

const piece = (name: string, more: Partial<SentPiece> = {}): SentPiece => ({
  kind: "file", name, form: "whole", why: "", tokens: 10, score: 1, pinned: false, reason: "", ...more,
});
const ask = (pieces: SentPiece[], more: Partial<SentAsk> = {}): SentAsk => ({
  model: "m", at_ms: 1, strategy: "targeted", strategy_why: "", tokens: 100, budget: 400, pieces, others: 0, note: "",
  messages: [], purpose: "answer", ...more,
});

describe("what a model was sent", () => {
  it("is shown with what takes most first, apart from what was left out", () => {
    const { sent, left } = parted(
      ask([piece("a", { tokens: 5 }), piece("b", { form: "left_out", tokens: 0 }), piece("c", { form: "summary", tokens: 9 })]),
    );
    expect(sent.map((one) => one.name)).toEqual(["c", "a"]);
    expect(left.map((one) => one.name)).toEqual(["b"]);
  });

  it("says what a request was for", () => {
    expect(purposeName(ask([], { purpose: "repair" }))).toBe("To repair what checks found in the answer");
  });

  it("says how much of the budget each piece takes, and never more than all", () => {
    expect(share(piece("a", { tokens: 100 }), ask([]))).toBe(0.25);
    expect(share(piece("a", { tokens: 900 }), ask([]))).toBe(1);
    expect(share(piece("a"), ask([], { tokens: 0, budget: 0 }))).toBe(1);
  });

  it("has words for the kinds and roles that it knows, and shows others as they are", () => {
    expect(kindName(piece("a"))).toBe("File");
    expect(kindName(piece("a", { kind: "new_kind" as SentPiece["kind"] }))).toBe("new_kind");
    expect([roleName("system"), roleName("tool")]).toEqual(["Instructions", "tool"]);
  });
});
