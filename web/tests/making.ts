/** Jobs and suggestions for tests. */
import type { Job, Suggestion } from "../src/messages";

export const job = (id: string, more: Partial<Job> = {}): Job => ({
  job: id, kind: "job", prompt: "p", asked_by: "Guest 10", state: "generating", model: "m", offline: false, mode: "auto",
  strategy: null, client: 1, color: "#000000", created_ms: 1, files: [], progress: 0, eta_seconds: null, tokens: 0,
  hunks_applied: 0, hunks_pending: 0, undone: false, can_undo: false, error: null,
  priority: "normal", position: null, model_why: "", strategy_why: "", prompt_tokens: 0, cost: null, attempts: [],
  current_file: null, expected_tokens: null, eta_confidence: null, steers: [], findings: [], request_id: "", error_code: "",
  severity: "", cached: false, waits_for: null, failures: [], ...more,
});

export const suggestion = (id: string, more: Partial<Suggestion> = {}): Suggestion => ({
  suggestion: id, job: "j1", file: "f1", path: "a.py", reason: "", kind: "hunk", before: "a", current: "b", after: "c",
  anchor: null, end: null, state: "open", answered_by: null, conflict: "none", layer: "", choices: ["accept", "reject"],
  at_ms: 0, answered_ms: 0, gone: "", findings: [], ...more,
});
