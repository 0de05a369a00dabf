import { describe, expect, it } from "vitest";
import { diffTexts } from "../src/ai/diff";
import { emptyAi, reduceAi } from "../src/ai/inbox";
import { canRetry, isRunning, outcome, reasonOf } from "../src/ai/words";
import type { AnyEvent, Job, Suggestion } from "../src/messages";
import { job, suggestion } from "./making";

const welcome = (jobs: Job[], suggestions: Suggestion[]): AnyEvent => ({
  type: "welcome", room: "r", version: "1", you: { client: 1, name: "n", color: "#000000", kind: "person", file: null },
  people: [], files: [], jobs, suggestions, model: null, models: [], saving: true, limits: {}, hint: "",
});
const after = (...events: AnyEvent[]) => events.reduce(reduceAi, emptyAi);

describe("the AI's state", () => {
  it("has the newest job first and each once", () => {
    const state = after(
      { type: "generation_started", id: null, job: job("j1", { created_ms: 1 }) },
      { type: "generation_started", id: 7, job: job("j2", { created_ms: 2 }) },
      { type: "generation_progress", job: job("j1", { created_ms: 1, progress: 0.5 }), detail: "Writing a.py" },
    );
    expect(state.jobs.map((one) => one.job)).toEqual(["j2", "j1"]);
    expect(state.jobs[1]?.progress).toBe(0.5);
    expect(state.details["j1"]).toBe("Writing a.py");
  });

  it("shows a stream file by file and drops it at the end", () => {
    const token = (path: string, text: string): AnyEvent => ({ type: "generation_token", job: "j1", path, text });
    const running = after(token("a.py", "x"), token("a.py", "y"));
    expect(running.streams["j1"]).toEqual({ path: "a.py", text: "xy" });
    expect(reduceAi(running, token("b.py", "z")).streams["j1"]).toEqual({ path: "b.py", text: "z" });
    expect(reduceAi(running, { type: "generation_complete", job: job("j1") }).streams).toEqual({});
  });

  it("shows everybody the outcome of a suggestion", () => {
    const state = after(
      { type: "suggestion_added", suggestion: suggestion("s1") },
      { type: "suggestion_answered", suggestion: suggestion("s1", { state: "accepted", answered_by: "Guest 20" }) },
    );
    expect(state.suggestions.map(outcome)).toEqual(["Accepted by Guest 20"]);
  });

  it("takes the server's open suggestions after a reconnect and keeps what was decided here", () => {
    const before = after(
      { type: "suggestion_added", suggestion: suggestion("gone") },
      { type: "suggestion_answered", suggestion: suggestion("decided", { state: "rejected" }) },
    );
    const state = reduceAi(before, welcome([job("j1", { state: "interrupted" })], [suggestion("new")]));
    expect(state.suggestions.map((one) => one.suggestion)).toEqual(["decided", "new"]);
    expect(state.jobs[0]?.state).toBe("interrupted");
  });

  it("leaves the state as it is for events that do not concern it", () => {
    expect(reduceAi(emptyAi, { type: "pong", id: 1 })).toBe(emptyAi);
  });
});

it("offers Retry for jobs that did not end well, Cancel for those that run", () => {
  expect(canRetry(job("j", { state: "interrupted" }))).toBe(true);
  expect(canRetry(job("j", { state: "complete" }))).toBe(false);
  expect(isRunning(job("j", { state: "queued" }))).toBe(true);
  expect(isRunning(job("j", { state: "needs_review" }))).toBe(false);
});

it("does not say a finding twice that the reason ends with", () => {
  const findings = ["a.py, line 1: it cannot be parsed.", "a.py, line 3: nothing is called so."];
  expect(reasonOf(suggestion("s", { reason: `A check found a mistake: ${findings[0]}`, findings }))).toBe("A check found a mistake:");
  expect(reasonOf(suggestion("s", { reason: "Somebody typed here.", findings }))).toBe("Somebody typed here.");
});

describe("diffTexts", () => {
  it("shows what goes and what comes", () => {
    expect(diffTexts("a\nb\n", "a\nc\n")).toEqual([
      { kind: "same", text: "a" },
      { kind: "removed", text: "b" },
      { kind: "added", text: "c" },
    ]);
  });

  it("folds unchanged lines far from a change", () => {
    const many = Array.from({ length: 20 }, (_, index) => `line ${index}\n`).join("");
    const lines = diffTexts(`${many}end\n`, `${many}END\n`);
    expect(lines[0]).toEqual({ kind: "folded", count: 17 });
    expect(lines).toHaveLength(6);
  });

  it("shows a new file as added lines only", () => {
    expect(diffTexts("", "x\n")).toEqual([{ kind: "added", text: "x" }]);
  });
});
