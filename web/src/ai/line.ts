/** The room's jobs as a queue: those that run, those that wait in their order, and those that are over. */
import type { Job } from "../messages";
import { isRunning } from "./words";

/** So many of the sentences that were said to a job are seen at once; its details have them all. */
export const LAST_STEERS = 3;

export interface Line {
  running: Job[];
  /** The next one first. */
  waiting: Job[];
  paused: Job[];
  /** The newest first. */
  over: Job[];
  /** What was changed without the AI, the newest first. */
  changes: Job[];
}

export function isWaiting(job: Job): boolean {
  return job.state === "queued";
}

export function isPaused(job: Job): boolean {
  return job.state === "paused";
}

/** `jobs` are newest first. Those that wait without a known place come last, the oldest first. */
export function lineOf(jobs: Job[]): Line {
  const ai = jobs.filter((job) => job.kind === "job");
  const place = (job: Job): number => job.position ?? Infinity;
  return {
    running: ai.filter((job) => isRunning(job) && !isWaiting(job)).reverse(),
    waiting: ai
      .filter(isWaiting)
      .reverse()
      .sort((a, b) => (place(a) === place(b) ? 0 : place(a) - place(b))),
    paused: ai.filter(isPaused).reverse(),
    over: ai.filter((job) => !isRunning(job) && !isPaused(job)),
    changes: jobs.filter((job) => job.kind !== "job"),
  };
}

/** A place in the queue, in words. */
export function placeInWords(position: number): string {
  return position === 1 ? "Next in the queue" : `Number ${position} in the queue`;
}

/** Where a job stands that waits, and what it waits for; null before that is known. */
export function standing(job: Job, jobs: Job[]): string | null {
  const before = jobs.find((one) => one.job === job.waits_for);
  const place = job.position === null ? null : placeInWords(job.position);
  if (job.waits_for === null) return place;
  const reason = `waits for ${before ? `“${before.prompt}”` : "another job"}, which is about the same file`;
  return place === null ? `It ${reason}` : `${place}; it ${reason}`;
}
