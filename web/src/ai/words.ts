/** Jobs in words. */
import type { Job, JobState, Suggestion } from "../messages";

const STAGES: Record<JobState, string> = {
  queued: "Waiting its turn",
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

export function outcome(suggestion: Suggestion): string {
  const by = suggestion.answered_by ? ` by ${suggestion.answered_by}` : "";
  switch (suggestion.state) {
    case "accepted":
      return `Accepted${by}`;
    case "rejected":
      return `Rejected${by}`;
    case "gone":
      return "Its place is gone";
    case "open":
      return "Open";
  }
}
