/** Jobs in words. */
import type { Answer, Attempt, Generate, Job, JobState, Mode, Strategy, Suggestion } from "../messages";

export type Choice = Answer["choice"];

const STAGES: Record<JobState, string> = {
  queued: "Waiting its turn",
  paused: "Paused",
  preparing: "Preparing",
  context_analysis: "Reading the project",
  generating: "Writing",
  post_processing: "Fitting it in",
  validating: "Checking",
  complete: "Done",
  failed: "Failed",
  cancelled: "Cancelled",
  needs_review: "Needs your review",
  interrupted: "Interrupted",
};

const RUNNING: ReadonlySet<JobState> = new Set([
  "queued",
  "preparing",
  "context_analysis",
  "generating",
  "post_processing",
  "validating",
]);

export function stage(job: Job): string {
  return job.undone ? `${STAGES[job.state]}, undone` : STAGES[job.state];
}

export function isRunning(job: Job): boolean {
  return RUNNING.has(job.state);
}

export function canRetry(job: Job): boolean {
  return job.state === "failed" || job.state === "cancelled" || job.state === "interrupted";
}

export function duration(seconds: number): string {
  if (seconds < 1) return "a second";
  if (seconds < 90) return `${Math.round(seconds)} s`;
  return `${Math.round(seconds / 60)} min`;
}

/** How long a job has still to go, and how sure that is; null while there is no guess. */
export function timeLeft(job: Job): string | null {
  if (!isRunning(job) || job.eta_seconds === null) return null;
  const percent = job.eta_confidence === null ? null : Math.round(job.eta_confidence * 100);
  const sure = percent === null ? "" : percent < 5 ? " (a guess)" : ` (${percent} % sure)`;
  return `about ${duration(job.eta_seconds)} left${sure}`;
}

function count(tokens: number): string {
  return tokens.toLocaleString("en");
}

/** The tokens of the answer, while it is written beside those that are expected; null before there are any. */
export function answerTokens(job: Job): string | null {
  if (isRunning(job) && job.expected_tokens !== null && job.expected_tokens > job.tokens) {
    return `${count(job.tokens)} of about ${count(job.expected_tokens)} tokens`;
  }
  return job.tokens > 0 ? `${count(job.tokens)} tokens` : null;
}

/** All tokens of a job or of one of its attempts. */
export function allTokens(sent: number, answered: number): string {
  return sent > 0 ? `${count(sent)} sent, ${count(answered)} answered` : `${count(answered)} answered`;
}

/** An amount in US dollars, with as many places as tell something. */
export function money(dollars: number): string {
  if (dollars <= 0) return "$0";
  if (dollars < 0.0001) return "under $0.0001";
  return `$${dollars.toFixed(dollars < 0.1 ? 4 : 2)}`;
}

const OUTCOMES: Record<Attempt["outcome"], string> = {
  answered: "Answered",
  failed: "No answer",
  broken: "Broke off",
  refused: "Refused",
};

export function attemptOutcome(attempt: Attempt): string {
  return OUTCOMES[attempt.outcome];
}

export type Priority = NonNullable<Generate["priority"]>;

export const PRIORITIES: [Priority, string][] = [
  ["high", "High"],
  ["normal", "Normal"],
  ["low", "Low"],
];

export const STRATEGIES: [Strategy, string, string][] = [
  ["targeted", "Targeted", "places in these files"],
  ["selective", "Selective", "several files"],
  ["full", "Full", "whole files"],
];

/** Such as "Targeted"; null before one is chosen. */
export function strategyName(job: Job): string | null {
  return STRATEGIES.find(([name]) => name === job.strategy)?.[1] ?? null;
}

const KINDS: Record<Suggestion["kind"], string> = {
  hunk: "Change in",
  new_file: "New file",
  whole_file: "Rewrite of",
  delete_file: "Delete",
  rename_file: "Rename",
};

export function suggestionTitle(suggestion: Suggestion): string {
  return KINDS[suggestion.kind];
}

/** How a suggestion collided; null if it is only to be reviewed. */
export function collision(suggestion: Suggestion): string | null {
  switch (suggestion.conflict) {
    case "none":
      return null;
    case "overlapping_edits":
      return "Both changed the same lines";
    case "same_file_different_content":
      return suggestion.kind === "new_file" ? "Both made this file" : "Rewritten, and changed meanwhile";
    case "structural_conflict":
      return "What it needs was moved, renamed or deleted";
  }
}

const LAYERS: Record<Suggestion["layer"], string> = {
  "": "",
  lines: ": the lines fit together",
  tokens: ": the words fit together",
  syntax: ": their order does not matter here",
};

/** What became of a suggestion. */
export function outcome(suggestion: Suggestion): string {
  const by = suggestion.answered_by ? ` by ${suggestion.answered_by}` : "";
  switch (suggestion.state) {
    case "accepted":
      return `Accepted${by}`;
    case "rejected":
      return `Rejected${by}`;
    case "both":
      return `Both kept${by}`;
    case "edited":
      return `Edited by hand${by}`;
    case "merged":
      return `Merged by itself${LAYERS[suggestion.layer]}`;
    case "gone":
      return "Its place is gone";
    case "replaced":
      return "Repaired: another one takes its place";
    case "open":
      return "Open";
  }
}

/** Why it did not land by itself, without a finding at its end that is shown beside it anyway. */
export function reasonOf({ reason, findings }: Suggestion): string {
  const repeated = findings.find((finding) => finding !== "" && reason.endsWith(finding));
  return repeated === undefined ? reason : reason.slice(0, -repeated.length).trimEnd();
}

/** Told to the second of two who answer. */
export function cameSecond(suggestion: Suggestion): string {
  if (suggestion.state === "replaced") return "The AI has found a mistake in it and suggests something else, so your choice was not taken.";
  return `${suggestion.answered_by ?? "Somebody"} was first (${outcome(suggestion)}), so your choice was not taken.`;
}

/** Whose side a job's text is, in a heading. */
export function sideOf(job: Job | undefined): string {
  switch (job?.kind) {
    case "put":
      return "Written file";
    case "import":
      return "Import";
    case "restore":
      return "Old version";
    default:
      return "AI";
  }
}

/** Each choice as it stands on a button. `side` is what sideOf gives. */
export function choiceText(choice: Choice, side: string): string {
  switch (choice) {
    case "accept":
      return `${side}'s`;
    case "reject":
      return "Ours";
    case "both":
      return "Both";
    case "edit":
      return "Edit by hand";
  }
}

const CHANGES: Record<Exclude<Job["kind"], "job">, string> = {
  put: "Written file",
  import: "Import",
  restore: "Restore",
};

/** What a change that is no AI job is called. */
export function changeTitle(job: Job): string {
  return job.kind === "job" ? "AI job" : CHANGES[job.kind];
}

export const MODES: [Mode, string, string][] = [
  ["auto", "Write at once", "Changes that fit land as they stream; the rest is offered."],
  ["review", "Review first", "Nothing lands before somebody accepts it."],
  ["ask", "Ask if big", "Rewrites of whole files and deletions are offered; the rest lands."],
];

/** Such as "12:04", or with the day when that was another one. */
export function moment(ms: number, now: number = Date.now()): string {
  const [date, today] = [new Date(ms), new Date(now)];
  const time = date.toLocaleTimeString([], { hour: "2-digit", minute: "2-digit" });
  if (date.toDateString() === today.toDateString()) return time;
  return `${date.toLocaleDateString([], { day: "numeric", month: "short" })}, ${time}`;
}
