import { describe, expect, it } from "vitest";
import { lineOf, standing } from "../src/ai/line";
import { knownModels } from "../src/ai/models";
import { allTokens, answerTokens, money, timeLeft } from "../src/ai/words";
import type { Job } from "../src/messages";
import { job } from "./making";

const ids = (jobs: Job[]) => jobs.map((one) => one.job);

describe("the queue", () => {
  it("has the jobs that wait by their place, those without one last and the oldest first", () => {
    const queued = (id: string, position: number | null) => job(id, { state: "queued", position });
    const line = lineOf([queued("new", null), queued("second", 2), queued("old", null), queued("first", 1)]);
    expect(ids(line.waiting)).toEqual(["first", "second", "old", "new"]);
  });

  it("tells jobs that run, those that are over and other changes apart", () => {
    const line = lineOf([
      job("late", { state: "validating" }),
      job("done", { state: "complete" }),
      job("asks", { state: "needs_review" }),
      job("put", { kind: "put", state: "complete" }),
      job("early", { state: "preparing" }),
    ]);
    expect(ids(line.running)).toEqual(["early", "late"]);
    expect(ids(line.over)).toEqual(["done", "asks"]);
    expect(ids(line.changes)).toEqual(["put"]);
    expect(line.waiting).toEqual([]);
  });

  it("keeps paused jobs apart from those that wait and those that are over", () => {
    const line = lineOf([job("held", { state: "paused" }), job("next", { state: "queued", position: 1 })]);
    expect(ids(line.paused)).toEqual(["held"]);
    expect(ids(line.waiting)).toEqual(["next"]);
    expect([...line.running, ...line.over]).toEqual([]);
  });

  it("says which place a job has, and what it waits for", () => {
    const other = job("j0", { prompt: "Sort the <b>imports</b>" });
    const queued = (more: Partial<Job>) => standing(job("j1", { state: "queued", ...more }), [other]);
    expect(queued({ position: 1 })).toBe("Next in the queue");
    expect(queued({ position: 2 })).toBe("Number 2 in the queue");
    expect(queued({ position: null })).toBeNull();
    expect(queued({ position: 1, waits_for: "j0" })).toBe(
      "Next in the queue; it waits for “Sort the <b>imports</b>”, which is about the same file",
    );
    expect(queued({ position: 1, waits_for: "gone" })).toContain("waits for another job");
  });
});

describe("what a job takes, in words", () => {
  it("says how far the answer is while it is written, and only then", () => {
    expect(answerTokens(job("j", { tokens: 1_200, expected_tokens: 2_000 }))).toBe("1,200 of about 2,000 tokens");
    expect(answerTokens(job("j", { tokens: 2_100, expected_tokens: 2_000 }))).toBe("2,100 tokens");
    expect(answerTokens(job("j", { tokens: 1_200, expected_tokens: 2_000, state: "complete" }))).toBe("1,200 tokens");
    expect(answerTokens(job("j"))).toBeNull();
  });

  it("says how sure the time left is", () => {
    expect(timeLeft(job("j", { eta_seconds: 12.3, eta_confidence: 0.8 }))).toBe("about 12 s left (80 % sure)");
    expect(timeLeft(job("j", { eta_seconds: 12.3, eta_confidence: 0 }))).toBe("about 12 s left (a guess)");
    expect(timeLeft(job("j", { eta_seconds: 12.3 }))).toBe("about 12 s left");
    expect(timeLeft(job("j", { eta_seconds: 12.3, state: "complete" }))).toBeNull();
  });

  it("gives small amounts of money enough places", () => {
    expect([0, 0.00003, 0.00123, 0.0987, 0.5, 12].map(money)).toEqual(["$0", "under $0.0001", "$0.0012", "$0.0987", "$0.50", "$12.00"]);
  });

  it("tells what was sent from what was answered", () => {
    expect(allTokens(1_000, 20)).toBe("1,000 sent, 20 answered");
    expect(allTokens(0, 20)).toBe("20 answered");
  });
});

describe("the models that one may ask for", () => {
  it("are the configured ones in their order, and others that answered here, each once, and no templates", () => {
    const models = [
      { name: "main", context_tokens: 128_000, capabilities: ["code", "reasoning"] },
      { name: "spare", context_tokens: 8_000, capabilities: [] },
    ];
    const jobs = [
      job("a", { model: "big" }),
      job("b", { model: "spare" }),
      job("c", { model: "templates", offline: true }),
      job("d", { model: "big" }),
    ];
    expect(knownModels({ version: "1", model: "main", models, limits: {} }, jobs)).toEqual([
      { name: "main", about: "128,000 tokens, code, reasoning" },
      { name: "spare", about: "8,000 tokens" },
      { name: "big", about: "" },
    ]);
  });

  it("are none before the server has said anything", () => {
    expect(knownModels(null, [])).toEqual([]);
  });
});
